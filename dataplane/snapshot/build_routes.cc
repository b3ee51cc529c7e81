#include <algorithm>

#include "common/base/hash.h"
#include "dataplane/snapshot/draft.h"

namespace weir::snapshot {
namespace {

using model::ResourceType;

// Filters of the named policies in chain order; what cannot be had goes to problem.
exchange::FilterChain make_chain(Draft& draft, const std::vector<std::string>& names,
                                 std::string& problem) {
  std::vector<const CompiledPolicy*> found;
  for (const std::string& name : names) {
    const CompiledPolicy* const policy = draft.policy(name);
    if (policy == nullptr) {
      problem = "policy " + name + " is not there";
    } else if (policy->filter == nullptr) {
      problem = policy->problem;
    } else {
      found.push_back(policy);
    }
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto* a, const auto* b) { return a->rank < b->rank; });
  std::vector<exchange::FilterPtr> filters;
  for (const CompiledPolicy* policy : found) filters.push_back(policy->filter);
  return draft.shop.chains.of(std::move(filters));
}

void add_backends(Draft& draft, const model::ResourceKey& key, exchange::RoutePlan& plan,
                  std::string& problem) {
  for (const model::WeightedBackend& from : plan.route().backends) {
    exchange::BackendPlan backend;
    backend.cluster = from.cluster;
    backend.cluster_hash = base::hash_bytes(from.cluster);
    backend.weight = from.weight;
    backend.invalid = from.invalid;
    backend.reason = from.reason;
    if (plan.route().cookie) backend.session_tag = exchange::session_tag(from.cluster);
    backend.filters = make_chain(draft, from.policies, problem);
    plan.total_weight += from.weight;
    if (!from.invalid && draft.next->clusters.find(from.cluster) == nullptr) {
      draft.degrade(key, "cluster '" + from.cluster + "' is not there");
    }
    plan.backends.push_back(std::move(backend));
  }
}

// A key that cannot be read places nothing: its requests lie anywhere, and the owner is told.
std::unique_ptr<const exchange::Placement> make_placement(Draft& draft, const model::Route& route,
                                                          const model::ResourceKey& key) {
  if (route.hash_on.empty() && !route.cookie) return nullptr;
  auto out = std::make_unique<exchange::Placement>();
  if (route.cookie) {
    out->cookie = *route.cookie;
    return out;
  }
  auto compiled = model::KeyTemplate::parse(route.hash_on);
  if (!compiled.ok()) {
    draft.degrade(key, "hash_on: '" + route.hash_on + "' " + compiled.error().text);
    return nullptr;
  }
  out->key = std::move(compiled).value();
  return out;
}

RoutePlanPtr make_plan(Draft& draft, const model::ResourceKey& key, model::Route says) {
  auto plan = std::make_shared<exchange::RoutePlan>(std::move(says));
  const model::Route& route = plan->route();
  std::string problem;
  plan->filters = make_chain(draft, route.policies, problem);
  add_backends(draft, key, *plan, problem);
  plan->placement = make_placement(draft, route, key);
  if (!problem.empty()) draft.degrade(key, problem);
  plan->unavailable = route.deny_reason.empty() ? problem : route.deny_reason;
  plan->labels = draft.shop.labels.intern(route.host, route.labels);
  return plan;
}

void apply_edit(Draft& draft, RouteEdit& edit) {
  if (edit.after == nullptr) {
    const model::Route& gone = edit.old_plan->route();
    routing::RouteTable& table = draft.table(gone.table);
    table = table.without_route(gone.host, gone.id);
    return;
  }
  edit.new_plan = make_plan(draft, edit.after->key,
                            edit.route ? *std::move(edit.route) : edit.old_plan->route());
  edit.route.reset();
  routing::RouteTable& table = draft.table(edit.new_plan->route().table);
  auto changed = table.with_route(edit.new_plan);
  if (changed.ok()) {
    table = std::move(changed).value();
  } else {
    draft.error(edit.after->key, changed.error().text);
  }
}

void add_changed(Draft& draft) {
  for (const auto& [name, change] : draft.changes.of(ResourceType::kRoute)) {
    RouteEdit edit{change.before.get(), change.after.get(), {}, {}, {}};
    if (edit.before != nullptr) edit.old_plan = draft.held_plan(*edit.before);
    if (edit.after != nullptr) {
      edit.route = draft.read<model::Route>(*edit.after);
      if (!edit.route) continue;
    }
    draft.routes.push_back(std::move(edit));
  }
}

// Routes that did not change themselves but name a policy that came, changed or went.
void add_policy_users(Draft& draft) {
  const Changes::ByName& changed_routes = draft.changes.of(ResourceType::kRoute);
  Policies::Users touched;
  for (const auto& [name, change] : draft.changes.of(ResourceType::kPolicy)) {
    const Policies::Users* const users = draft.shop.policies.users(name);
    if (users != nullptr) touched.insert(users->begin(), users->end());
  }
  for (const model::Resource* resource : touched) {
    if (changed_routes.count(resource->key.name) != 0) continue;
    draft.routes.push_back({resource, resource, draft.held_plan(*resource), {}, {}});
  }
}

}  // namespace

void build_routes(Draft& draft) {
  add_changed(draft);
  add_policy_users(draft);
  for (RouteEdit& edit : draft.routes) {
    draft.shop.step();
    apply_edit(draft, edit);
  }
}

}  // namespace weir::snapshot
