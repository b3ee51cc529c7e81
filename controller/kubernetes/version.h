#pragma once

#include <algorithm>
#include <string_view>

namespace weir::kubernetes {

// Resource versions of one kind on one API server are decimal numbers that grow with each change
// (KEP-5504). Other texts are not compared.
inline bool is_version(std::string_view text) {
  constexpr std::size_t kMostDigits = 39;  // of 128 bits
  return !text.empty() && text.size() <= kMostDigits && text.front() != '0' &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// have is wanted or newer. False when either is no version.
inline bool reaches(std::string_view have, std::string_view wanted) {
  if (!is_version(have) || !is_version(wanted)) return false;
  return have.size() != wanted.size() ? have.size() > wanted.size() : have >= wanted;
}

}  // namespace weir::kubernetes
