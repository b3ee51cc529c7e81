#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "dataplane/exchange/route_plan.h"

namespace weir::snapshot {

// The filter chains in use: routes with the same filters share one, so that 100,000 hosts with the
// usual policies have their lists once, in memory and in a worker's cache. Keeps no filter alive.
// One thread.
class Chains {
 public:
  // The chain of these filters, already in chain order.
  exchange::FilterChain of(std::vector<exchange::FilterPtr> filters);
  std::size_t size() const { return known_.size(); }

 private:
  static constexpr std::size_t kLeast = 64;  // before the first look for some that are gone
  void forget_gone();

  std::map<std::vector<const exchange::Filter*>, exchange::FilterChain::Weak> known_;
  std::size_t most_ = kLeast;
};

}  // namespace weir::snapshot
