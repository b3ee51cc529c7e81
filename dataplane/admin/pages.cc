#include "dataplane/admin/pages.h"

#include "common/base/ip.h"
#include "common/base/text.h"

namespace weir::admin {
namespace {

constexpr const char* kText = "text/plain; charset=utf-8";

bool is_address(std::string_view authority) {
  std::string_view host = authority;
  if (host.starts_with('[')) {
    const std::size_t end = host.find(']');
    return end != std::string_view::npos && base::is_ip_literal(host.substr(1, end - 1));
  }
  host = host.substr(0, host.find(':'));
  return base::is_ip_literal(host) || base::equals_ignore_case(host, "localhost");
}

}  // namespace

Page Pages::answer(std::string_view method, std::string_view target, std::string_view authority) {
  if (method != "GET" && method != "HEAD") return {405, kText, "GET only\n"};
  if (refuse_names_ && !is_address(authority))
    return {421, kText, "ask by address: the Host must be an IP address or localhost\n"};
  const std::size_t mark = target.find('?');
  const auto at = pages_.find(target.substr(0, mark));
  if (at == pages_.end()) return {404, kText, "not found\n"};
  return at->second(mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1));
}

}  // namespace weir::admin
