#pragma once

#include <map>
#include <string>
#include <string_view>

#include "common/base/unique_function.h"

namespace weir::admin {

struct Page {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

// What a path answers; made anew for every request, on the admin thread.
class Pages {
 public:
  void add(std::string path, base::UniqueFunction<Page()> make) {
    pages_.insert_or_assign(std::move(path), std::move(make));
  }
  // target: origin-form; the query is passed over. Only GET and HEAD are allowed.
  Page answer(std::string_view method, std::string_view target);

 private:
  std::map<std::string, base::UniqueFunction<Page()>, std::less<>> pages_;
};

}  // namespace weir::admin
