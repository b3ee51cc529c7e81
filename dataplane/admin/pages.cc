#include "dataplane/admin/pages.h"

namespace weir::admin {

Page Pages::answer(std::string_view method, std::string_view target) {
  if (method != "GET" && method != "HEAD") return {405, "text/plain; charset=utf-8", "GET only\n"};
  const auto at = pages_.find(target.substr(0, target.find('?')));
  if (at == pages_.end()) return {404, "text/plain; charset=utf-8", "not found\n"};
  return at->second();
}

}  // namespace weir::admin
