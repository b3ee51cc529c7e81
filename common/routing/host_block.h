#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/route.h"
#include "common/routing/compiled_route.h"
#include "common/routing/hybrid_map.h"

namespace weir::routing {

// How many entries have each depth, so that a walk knows where it may stop. Copied with its owner.
class DepthCounts {
 public:
  void add(std::size_t depth) {
    if (counts_.size() <= depth) counts_.resize(depth + 1);
    ++counts_[depth];
  }
  void remove(std::size_t depth) {
    --counts_[depth];
    while (!counts_.empty() && counts_.back() == 0) counts_.pop_back();
  }
  // The largest depth in use, 0 when there is none.
  std::size_t most() const { return counts_.empty() ? 0 : counts_.size() - 1; }

 private:
  std::vector<std::uint32_t> counts_;
};

// A route as a walk meets it.
struct WalkedRoute {
  explicit WalkedRoute(const CompiledRoute& met) : route(&met) {}
  WalkedRoute(const CompiledRoute& met, const RouteTarget* target) : route(&met), plain(target) {}

  const CompiledRoute* route;
  // The target of a route that asks for nothing but the path, where it is at hand: then the route
  // itself need not be fetched from memory. Null says nothing.
  const RouteTarget* plain = nullptr;
};

// Routes of one path in matching order, one at least once it is in a block. Most paths have one:
// that one is here, so that a request among 100,000 hosts does not fetch a list as well.
class PathBucket {
 public:
  explicit PathBucket(std::string key) : key_(std::move(key)) {}
  std::string_view key() const { return key_; }
  bool empty() const { return first_ == nullptr; }
  void add(CompiledRoutePtr route);
  void remove(const CompiledRoute& route);

  // Calls visit(WalkedRoute) in matching order until it answers true; tells whether it did.
  template <typename Visit>
  bool any_of(Visit& visit) const {
    if (first_ != nullptr && visit(WalkedRoute(*first_, first_plain_))) return true;
    for (const CompiledRoutePtr& route : others_) {
      if (visit(WalkedRoute(*route))) return true;
    }
    return false;
  }

 private:
  void set_first(CompiledRoutePtr route);

  CompiledRoutePtr first_;
  const RouteTarget* first_plain_ = nullptr;  // of first_
  std::string key_;
  std::vector<CompiledRoutePtr> others_;
};

// One host with its routes. A changed copy shares all buckets but the touched ones.
class HostBlock {
 public:
  explicit HostBlock(model::Host host) : host_(std::move(host)) {}

  const model::Host& host() const { return host_; }
  bool declared() const { return declared_; }
  std::size_t route_count() const { return routes_.size(); }
  const CompiledRoute* route(std::string_view id) const { return routes_.find(id); }

  // Asks for the memory that a walk reads first, without waiting for it.
  void fetch() const {
    prefixes_.fetch();
    exact_.fetch();
  }

  void declare(model::Host host);
  void undeclare();
  void add(CompiledRoutePtr route);  // replaces the one of the same id
  void remove(std::string_view id);

  // Calls visit(WalkedRoute) for each route whose path takes `path`, in matching order, until it
  // answers true; tells whether it did. The one enumeration that find and explain share.
  //   cost: O(segments), bounded by the deepest prefix of this host; patterns one by one.
  template <typename Visit>
  bool walk(std::string_view path, Visit&& visit) const {
    return walk_exact(path, visit) || walk_prefixes(path, visit) || walk_patterns(path, visit);
  }
  template <typename Visit>
  void for_each(Visit&& visit) const {
    routes_.for_each(visit);
  }

 private:
  template <typename Visit>
  static bool walk_bucket(const PathBucket* bucket, Visit& visit) {
    return bucket != nullptr && bucket->any_of(visit);
  }
  template <typename Visit>
  bool walk_exact(std::string_view path, Visit& visit) const {
    return !exact_.empty() && walk_bucket(exact_.find(path), visit);
  }
  template <typename Visit>
  bool walk_prefixes(std::string_view path, Visit& visit) const {
    if (prefixes_.empty()) return false;
    for (std::size_t end = first_prefix(path);; end = path.rfind('/', end - 1)) {
      if (walk_bucket(prefixes_.find(path.substr(0, end)), visit)) return true;
      if (end == 0) return false;
    }
  }
  template <typename Visit>
  bool walk_patterns(std::string_view path, Visit& visit) const {
    for (const CompiledRoutePtr& route : patterns_) {
      if (route->path_pattern_takes(path) && visit(WalkedRoute(*route))) return true;
    }
    return false;
  }
  std::size_t first_prefix(std::string_view path) const;
  void index(const CompiledRoutePtr& route);
  void unindex(const CompiledRoute& route);

  // What a request reads comes first: among 100,000 hosts each line is fetched from memory.
  HybridMap<PathBucket, 2> prefixes_;
  HybridMap<PathBucket, 1> exact_;
  DepthCounts depths_;  // segments of each prefix
  std::vector<CompiledRoutePtr> patterns_;
  HybridMap<CompiledRoute, 1> routes_;  // by id
  bool declared_ = false;
  model::Host host_;
};
using HostBlockPtr = std::shared_ptr<const HostBlock>;

}  // namespace weir::routing
