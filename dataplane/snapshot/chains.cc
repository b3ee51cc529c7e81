#include "dataplane/snapshot/chains.h"

#include <algorithm>
#include <utility>

namespace weir::snapshot {

exchange::FilterChain Chains::of(std::vector<exchange::FilterPtr> filters) {
  if (filters.empty()) return {};
  std::vector<const exchange::Filter*> key;
  key.reserve(filters.size());
  for (const auto& filter : filters) key.push_back(filter.get());
  // A chain that is alive keeps its filters, so that an address in its key names no other one.
  if (const auto at = known_.find(key); at != known_.end()) {
    if (exchange::FilterChain chain(at->second); chain.size() > 0) return chain;
  }
  exchange::FilterChain chain(std::move(filters));
  known_.insert_or_assign(std::move(key), chain.weak());
  if (known_.size() > most_) forget_gone();
  return chain;
}

void Chains::forget_gone() {
  std::erase_if(known_, [](const auto& one) { return one.second.expired(); });
  most_ = std::max(kLeast, 2 * known_.size());
}

}  // namespace weir::snapshot
