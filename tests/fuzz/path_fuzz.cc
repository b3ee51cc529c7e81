#include <cstdint>
#include <string_view>

#include "common/base/check.h"
#include "common/routing/path.h"
#include "common/routing/query.h"
#include "common/routing/route_table.h"

// Request targets and hosts: find and explain agree, a clean path has one reading and its normal
// form is itself.

namespace {

using namespace weir;

routing::RouteTable make_table() {
  routing::RouteTable table;
  for (const char* path : {"/", "/a", "/a/b", "/admin"}) {
    model::Route route;
    route.host = "*";
    route.id = path;
    route.match.path.value = path;
    auto next = table.with_route(std::make_shared<const routing::RouteTarget>(route));
    WEIR_CHECK(next.ok());
    table = next.value();
  }
  return table;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const routing::RouteTable table = make_table();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = text.find('\n');
  const std::string_view host = line == std::string_view::npos ? "" : text.substr(0, line);
  const std::string_view target = line == std::string_view::npos ? text : text.substr(line + 1);
  const routing::RequestKey request{host, target, "GET", nullptr};
  const auto found = table.find(request);
  const auto explained = table.explain(request);
  WEIR_CHECK(found.outcome == explained.outcome);
  if (routing::is_clean(target)) {
    WEIR_CHECK(routing::normal_path(target) == std::string(target));
    WEIR_CHECK(routing::readings_of(target).texts.size() == 1);
  }
  const std::string name = routing::normal_host(host);
  WEIR_CHECK(name.empty() || routing::normal_host(name) == name);
  WEIR_CHECK(routing::decodes_to(target, routing::decode_query(target)));
  return 0;
}
