#include "dataplane/exchange/split.h"

namespace weir::exchange {

const BackendPlan* SplitTable::choose(const RoutePlan& plan) {
  const BackendPlans& backends = plan.backends;
  if (plan.total_weight == 0) return nullptr;
  if (backends.size() == 1) return &backends[0];
  if (standings_.size() >= kMostRoutes) standings_.clear();
  std::vector<std::int64_t>& standings = standings_[plan.id];
  if (standings.size() != backends.size()) standings.assign(backends.size(), 0);
  std::size_t best = backends.size();
  for (std::size_t i = 0; i < backends.size(); ++i) {
    if (backends[i].weight == 0) continue;
    standings[i] += backends[i].weight;
    if (best == backends.size() || standings[i] > standings[best]) best = i;
  }
  if (best == backends.size()) return nullptr;
  standings[best] -= plan.total_weight;
  return &backends[best];
}

}  // namespace weir::exchange
