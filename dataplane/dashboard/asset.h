#pragma once

#include <string_view>
#include <vector>

namespace weir::dashboard {

// A file of assets/, put into the program by cmake/embed.cmake.
struct Asset {
  std::string_view name;  // "app.js"
  std::string_view bytes;
};
const std::vector<Asset>& assets();

}  // namespace weir::dashboard
