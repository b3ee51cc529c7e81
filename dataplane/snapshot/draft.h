#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/base/unique_function.h"
#include "dataplane/exchange/route_plan.h"
#include "dataplane/exchange/snapshot.h"
#include "dataplane/observe/labels.h"
#include "dataplane/snapshot/chains.h"
#include "dataplane/snapshot/cluster_index.h"
#include "dataplane/snapshot/policies.h"
#include "dataplane/snapshot/state.h"

namespace weir::snapshot {

// What outlives one transaction on the building side.
struct Workshop {
  Workshop(std::span<const exchange::FilterKind> kinds, observe::Labels& known, unsigned serving)
      : policies(kinds), labels(known), workers(serving) {}
  State state;
  Policies policies;
  Chains chains;
  ClusterIndex clusters;
  std::set<std::string> tls_clusters;  // that have, or had, a TLS policy
  observe::Labels& labels;
  const unsigned workers;                 // of the process
  base::UniqueFunction<void()> progress;  // called now and then while a transaction is applied
  // One resource is done. Who watches this thread must not take a long transaction for a hang.
  void step() {
    if (++steps % kStepsPerProgress == 0 && progress) progress();
  }
  static constexpr unsigned kStepsPerProgress = 512;
  unsigned steps = 0;
};

using RoutePlanPtr = std::shared_ptr<const exchange::RoutePlan>;

// One route that a transaction touches, itself or through a policy. A plan has one use of its
// label set.
struct RouteEdit {
  const model::Resource* before = nullptr;
  const model::Resource* after = nullptr;
  RoutePlanPtr old_plan;              // null: the route is new
  std::optional<model::Route> route;  // what it says from now on; none: what the old plan says
  RoutePlanPtr new_plan;              // null: not made yet, or the route goes
};

// The next snapshot while it is made: a copy of the last one that shares its structure, and what
// must be done to the workshop if it comes to life. Each build step reads the changes of its type
// and adds to errors when a resource is bad; then nothing of the draft is used.
struct Draft {
  Draft(Workshop& in, const Changes& of, const exchange::Snapshot& last)
      : shop(in), changes(of), next(std::make_unique<exchange::Snapshot>(last)) {}

  Workshop& shop;
  const Changes& changes;
  std::unique_ptr<exchange::Snapshot> next;
  std::uint64_t generation = 0;         // number that `next` will have
  std::uint64_t oldest_generation = 0;  // alive
  std::vector<wire::Reason> errors;
  std::vector<wire::Reason> degraded;

  std::unordered_map<std::string, CompiledPolicy> policies;  // new or changed
  std::map<std::string, routing::RouteTable> tables;         // touched, by name
  std::vector<RouteEdit> routes;
  std::map<std::string, model::ResourcePtr> slim_routes;  // the new ones, as the state has them
  std::vector<std::string> changed_clusters;
  std::vector<std::string> fresh_clusters;  // took a number
  std::vector<std::string> gone_clusters;

  void error(const model::ResourceKey& key, std::string text) {
    errors.push_back({key.type, key.name, std::move(text)});
  }
  void degrade(const model::ResourceKey& key, std::string text) {
    degraded.push_back({key.type, key.name, std::move(text)});
  }
  // The resource as the transaction leaves it, or null.
  model::ResourcePtr after(model::ResourceType type, const std::string& name) const;
  const CompiledPolicy* policy(const std::string& name) const;
  routing::RouteTable& table(const std::string& name);
  void store_tables();
  // The live plan of a route that the state holds.
  RoutePlanPtr held_plan(const model::Resource& resource);

  // The typed value, whose own key must be the resource's. Adds to errors otherwise.
  template <typename T>
  std::optional<T> read(const model::Resource& resource) {
    shop.step();
    auto value = model::read_resource<T>(resource);
    if (!value.ok()) {
      error(resource.key, value.error().text);
      return std::nullopt;
    }
    if (const model::ResourceKey own = model::key_of(value.value()); own != resource.key) {
      error(resource.key, "its content says it is " + own.to_string());
      return std::nullopt;
    }
    return std::move(value).value();
  }
};

// Clusters that a rule names and that are not there degrade the resource.
void check_clusters(Draft& draft, const model::ResourceKey& key, const model::StreamRule& rule);

// The steps, one file each, in the order in which the builder takes them.
void build_settings(Draft& draft);
void build_ticket_keys(Draft& draft);
void build_policies(Draft& draft);
void build_certificates(Draft& draft);
void build_trusts(Draft& draft);
void build_clusters(Draft& draft);
void build_hosts(Draft& draft);
void build_routes(Draft& draft);
void build_listeners(Draft& draft);

}  // namespace weir::snapshot
