#include "common/routing/host_block.h"

#include <algorithm>

namespace weir::routing {
namespace {

using model::PathKind;

void insert_sorted(std::vector<CompiledRoutePtr>& routes, CompiledRoutePtr route) {
  const auto at = std::upper_bound(routes.begin(), routes.end(), route,
                                   [](const CompiledRoutePtr& a, const CompiledRoutePtr& b) {
                                     return CompiledRoute::before(*a, *b);
                                   });
  routes.insert(at, std::move(route));
}

void erase_route(std::vector<CompiledRoutePtr>& routes, const CompiledRoute& route) {
  std::erase_if(routes, [&route](const CompiledRoutePtr& one) { return one.get() == &route; });
}

std::size_t segments_of(std::string_view key) {
  return static_cast<std::size_t>(std::count(key.begin(), key.end(), '/'));
}

std::shared_ptr<PathBucket> copy_of(const PathBucket* bucket, const std::string& key) {
  return bucket == nullptr ? std::make_shared<PathBucket>(key)
                           : std::make_shared<PathBucket>(*bucket);
}

template <typename Paths>
void add_to(Paths& map, const std::vector<std::string>& keys, const CompiledRoutePtr& route) {
  for (const std::string& key : keys) {
    auto bucket = copy_of(map.find(key), key);
    bucket->add(route);
    map.set(std::move(bucket));
  }
}

template <typename Paths>
void remove_from(Paths& map, const std::vector<std::string>& keys, const CompiledRoute& route) {
  for (const std::string& key : keys) {
    auto bucket = copy_of(map.find(key), key);
    bucket->remove(route);
    if (bucket->empty()) {
      map.remove(key);
    } else {
      map.set(std::move(bucket));
    }
  }
}

}  // namespace

void PathBucket::set_first(CompiledRoutePtr route) {
  first_plain_ = route == nullptr ? nullptr : route->plain_target();
  first_ = std::move(route);
}

void PathBucket::add(CompiledRoutePtr route) {
  if (first_ == nullptr) return set_first(std::move(route));
  if (CompiledRoute::before(*route, *first_)) {
    insert_sorted(others_, first_);
    set_first(std::move(route));
  } else {
    insert_sorted(others_, std::move(route));
  }
}

void PathBucket::remove(const CompiledRoute& route) {
  if (first_.get() != &route) return erase_route(others_, route);
  if (others_.empty()) return set_first(nullptr);
  set_first(std::move(others_.front()));
  others_.erase(others_.begin());
}

void HostBlock::declare(model::Host host) {
  host_ = std::move(host);
  declared_ = true;
}

void HostBlock::undeclare() {
  model::Host bare;
  bare.table = host_.table;
  bare.name = host_.name;
  host_ = std::move(bare);
  declared_ = false;
}

void HostBlock::add(CompiledRoutePtr route) {
  if (const CompiledRoute* old = routes_.find(route->key())) unindex(*old);
  index(route);
  routes_.set(std::move(route));
}

void HostBlock::remove(std::string_view id) {
  const CompiledRoute* old = routes_.find(id);
  if (old == nullptr) return;
  unindex(*old);
  routes_.remove(id);
}

void HostBlock::index(const CompiledRoutePtr& route) {
  const PathKind kind = route->route().match.path.kind;
  if (kind == PathKind::kRegex) return insert_sorted(patterns_, route);
  const std::vector<std::string> keys = route->path_keys();
  if (kind == PathKind::kExact) return add_to(exact_, keys, route);
  add_to(prefixes_, keys, route);
  for (const std::string& key : keys) depths_.add(segments_of(key));
}

void HostBlock::unindex(const CompiledRoute& route) {
  const PathKind kind = route.route().match.path.kind;
  if (kind == PathKind::kRegex) return erase_route(patterns_, route);
  const std::vector<std::string> keys = route.path_keys();
  if (kind == PathKind::kExact) return remove_from(exact_, keys, route);
  remove_from(prefixes_, keys, route);
  for (const std::string& key : keys) depths_.remove(segments_of(key));
}

// The end of the longest prefix by whole segments that a route of this host can have.
std::size_t HostBlock::first_prefix(std::string_view path) const {
  std::size_t at = 0;
  for (std::size_t left = depths_.most(); left > 0 && at < path.size(); --left) {
    at = std::min(path.find('/', at + 1), path.size());
  }
  return at;
}

}  // namespace weir::routing
