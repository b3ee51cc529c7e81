#include "dataplane/snapshot/draft.h"

#include "common/base/check.h"

namespace weir::snapshot {

model::ResourcePtr Draft::after(model::ResourceType type, const std::string& name) const {
  const Changes::ByName& changed = changes.of(type);
  const auto at = changed.find(name);
  return at == changed.end() ? shop.state.find(type, name) : at->second.after;
}

const CompiledPolicy* Draft::policy(const std::string& name) const {
  const auto staged = policies.find(name);
  if (staged != policies.end()) return &staged->second;
  // A removed policy is still in the workshop until the draft comes to life.
  if (changes.of(model::ResourceType::kPolicy).count(name) != 0) return nullptr;
  return shop.policies.find(name);
}

routing::RouteTable& Draft::table(const std::string& name) {
  const auto at = tables.find(name);
  if (at != tables.end()) return at->second;
  const routing::RouteTable* const known = next->tables.find(name);
  return tables.emplace(name, known == nullptr ? routing::RouteTable() : *known).first->second;
}

void check_clusters(Draft& draft, const model::ResourceKey& key, const model::StreamRule& rule) {
  for (const model::WeightedBackend& backend : rule.backends) {
    if (backend.invalid || draft.next->clusters.find(backend.cluster) != nullptr) continue;
    draft.degrade(key, "cluster '" + backend.cluster + "' is not there");
  }
}

RoutePlanPtr Draft::held_plan(const model::Resource& resource) {
  const std::string& name = resource.key.name;  // "table/host/id"
  const std::size_t host = name.find('/') + 1;
  const std::size_t id = name.find('/', host) + 1;
  auto target = table(name.substr(0, host - 1))
                    .target(std::string_view(name).substr(host, id - 1 - host), name.substr(id));
  WEIR_CHECK(target != nullptr);
  return std::static_pointer_cast<const exchange::RoutePlan>(std::move(target));
}

void Draft::store_tables() {
  for (auto& [name, table] : tables) {
    const bool empty = table.host_count() == 0 && table.route_count() == 0;
    next->tables =
        empty ? next->tables.without(name)
              : next->tables.with(name, std::make_shared<const routing::RouteTable>(table));
  }
  next->wide = false;
  next->tables.for_each([&](std::string_view, const routing::RouteTable& table) {
    next->wide |= table.host_count() > exchange::Snapshot::kNarrow;
  });
}

}  // namespace weir::snapshot
