#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "dataplane/exchange/route_plan.h"

namespace weir::exchange {

// Deals a route's requests to its weighted backends: smooth weighted round robin, not chance, so
// that over sum(weights) requests of a worker the shares are exact. State is kept per route
// identity and survives every change that keeps the number of backends. One worker.
class SplitTable {
 public:
  // Null when no backend has a weight. No allocation but at a route's first request.
  const BackendPlan* choose(const RoutePlan& plan);

 private:
  static constexpr std::size_t kMostRoutes = 65'536;  // then all start afresh
  std::unordered_map<std::uint64_t, std::vector<std::int64_t>> standings_;
};

}  // namespace weir::exchange
