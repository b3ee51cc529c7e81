#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/unique_function.h"

namespace weir::admin {

struct Page {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> fields = {};  // further ones of the head
};

// What a path answers; made anew for every request, on the door's thread.
class Pages {
 public:
  // query: without '?', still encoded.
  using Make = base::UniqueFunction<Page(std::string_view query)>;

  void add(std::string path, Make make) {
    pages_.insert_or_assign(std::move(path), std::move(make));
  }
  // From now on only requests whose Host is an IP literal or "localhost" are answered: a name that
  // a stranger's web page has made resolve to us (DNS rebinding) is none of them.
  void refuse_names() { refuse_names_ = true; }
  // target: origin-form; authority: the Host field. Only GET and HEAD are allowed.
  Page answer(std::string_view method, std::string_view target, std::string_view authority);

 private:
  std::map<std::string, Make, std::less<>> pages_;
  bool refuse_names_ = false;
};

}  // namespace weir::admin
