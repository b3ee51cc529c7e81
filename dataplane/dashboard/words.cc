#include "dataplane/dashboard/words.h"

#include "common/base/clock.h"

namespace weir::dashboard {

std::string_view state_of(const upstream::Endpoint& endpoint) {
  if (endpoint.state == nullptr) return "serving";
  if (!endpoint.state->healthy()) return "failed its check";
  return endpoint.state->ejected(base::system_clock().now()) ? "ejected" : "serving";
}

std::string_view kind_of(const model::PathMatch& match) {
  return enum_names(match.kind)[static_cast<std::size_t>(match.kind)];
}

std::string owner_of(const model::Provenance& from) {
  return from.kind + " " + from.ns + "/" + from.name;
}

}  // namespace weir::dashboard
