#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/base/few_first.h"
#include "common/base/prefetch.h"
#include "common/routing/route_table.h"
#include "dataplane/exchange/filter.h"
#include "dataplane/exchange/placement.h"

namespace weir::exchange {

// The filters of one route or backend, one list per hook, in chain order. slot: index of the
// filter's state in the exchange. Most are empty and cost a pointer; copies share the lists.
class FilterChain {
  struct Links;

 public:
  struct Entry {
    const Filter* filter;
    std::uint32_t slot;
  };
  // Finds the lists of a chain as long as some chain has them.
  using Weak = std::weak_ptr<const Links>;

  FilterChain() = default;
  explicit FilterChain(std::vector<FilterPtr> filters);  // already in chain order
  explicit FilterChain(const Weak& lists) : links_(lists.lock()) {}
  Weak weak() const { return links_; }
  std::span<const Entry> at(Hook hook) const {
    if (links_ == nullptr) return {};
    return links_->lists[static_cast<std::size_t>(hook)];
  }
  std::size_t size() const { return links_ == nullptr ? 0 : links_->filters.size(); }
  BodyNeed body_need() const { return links_ == nullptr ? BodyNeed{} : links_->need; }

 private:
  struct Links {
    std::vector<FilterPtr> filters;
    std::array<std::vector<Entry>, kHooks> lists;
    BodyNeed need;
  };
  std::shared_ptr<const Links> links_;
};

// One weighted share. cluster_hash: base::hash_bytes(cluster), so that the request path hashes
// nothing.
struct BackendPlan {
  std::string cluster;
  std::uint64_t cluster_hash = 0;
  std::uint32_t weight = 1;
  bool invalid = false;  // answers 500
  FilterChain filters;
  std::string reason;       // why it is invalid, for the log; may be empty
  std::string session_tag;  // of the route's session cookie, when it has one
};

using BackendPlans = base::FewFirst<BackendPlan, 1>;

// A compiled route: what routing::RouteTable::find gives the exchange. Immutable; built by
// snapshot/.
// Made by std::make_shared: a tunnel pins its plan alone and lets the snapshot go.
class RoutePlan final : public routing::RouteTarget,
                        public std::enable_shared_from_this<RoutePlan> {
 public:
  explicit RoutePlan(model::Route of);

  // Asks for the memory that a request reads of its plan, all at once: of 100,000 plans few are in
  // a cache, and one wait is shorter than one for each line.
  void fetch() const {
    base::prefetch(&id, kRead);
    base::prefetch(&route().timeouts, sizeof(model::RouteTimeouts));
    base::prefetch(&route().retry, sizeof(model::RetryRule));
  }
  // What stands behind that, once it is here.
  void fetch_more() const {
    if (!backends.empty()) __builtin_prefetch(backends[0].cluster.data());
  }

  // Hash of table, host and route id: names the route over every change. Not stable between
  // processes.
  const std::uint64_t id;

  FilterChain filters;
  std::unique_ptr<const Placement> placement;  // null: requests lie anywhere
  std::string unavailable;   // not empty: 503 always, this is why (denied by the controller, or a
                             // policy this dataplane does not know)
  std::uint32_t labels = 0;  // id from observe::Labels
  std::uint32_t total_weight = 0;
  BackendPlans backends;  // most routes have one

 private:
  static constexpr std::size_t kRead = 144;  // bytes from id to what is read of the first backend
};

}  // namespace weir::exchange
