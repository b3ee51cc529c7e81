#include "dataplane/exchange/route_plan.h"

#include <algorithm>

#include "common/base/hash.h"

namespace weir::exchange {
namespace {

BodyNeed larger(const BodyNeed& a, const BodyNeed& b) {
  BodyNeed out = std::max(a.kind, b.kind) == a.kind ? a : b;
  if (a.kind == b.kind) out.limit = std::max(a.limit, b.limit);
  return out;
}

std::uint64_t identity(const model::Route& route) {
  return base::hash_bytes(route.id, base::hash_bytes(route.host, base::hash_bytes(route.table)));
}

}  // namespace

FilterChain::FilterChain(std::vector<FilterPtr> filters) {
  if (filters.empty()) return;
  auto links = std::make_shared<Links>();
  links->filters = std::move(filters);
  for (std::uint32_t slot = 0; slot < links->filters.size(); ++slot) {
    const Filter& filter = *links->filters[slot];
    for (std::size_t hook = 0; hook < kHooks; ++hook) {
      if (filter.hooks().has(static_cast<Hook>(hook)))
        links->lists[hook].push_back({&filter, slot});
    }
    links->need = larger(links->need, filter.body_need());
  }
  links_ = std::move(links);
}

RoutePlan::RoutePlan(model::Route of) : RouteTarget(std::move(of)), id(identity(route())) {}

}  // namespace weir::exchange
