#include "dataplane/upstream/balance.h"

#include <algorithm>

namespace weir::upstream {

const RoundRobin::Share* RoundRobin::known(std::string_view id) const {
  const auto at = std::lower_bound(
      shares_.begin(), shares_.end(), id,
      [](const Share& share, std::string_view key) { return std::string_view(share.id) < key; });
  return at != shares_.end() && at->id == id ? &*at : nullptr;
}

void RoundRobin::sync(const std::vector<Endpoint>& endpoints) {
  const bool first = shares_.empty();
  std::int64_t sum = 0;
  std::int64_t kept = 0;
  std::vector<Share> next;
  next.reserve(endpoints.size());
  for (const Endpoint& endpoint : endpoints) {
    const Share* old = known(endpoint.id);
    if (old != nullptr) {
      sum += old->standing;
      ++kept;
    }
    next.push_back({endpoint.id, old == nullptr ? 0 : old->standing, endpoint.weight});
  }
  // Standings are only compared with each other: measured from the average, a newcomer is neither
  // flooded nor starved, whatever the leavers had.
  const std::int64_t average = kept == 0 ? 0 : sum / kept;
  for (Share& share : next) {
    if (known(share.id) != nullptr) share.standing -= average;
  }
  shares_ = std::move(next);
  if (!first || shares_.empty()) return;
  for (std::size_t i = start_ % shares_.size(); i > 0; --i) pick();
}

std::size_t RoundRobin::pick(std::span<const std::string> avoid) {
  std::int64_t total = 0;
  std::size_t best = kNone;
  std::size_t avoided = kNone;
  for (std::size_t i = 0; i < shares_.size(); ++i) {
    Share& share = shares_[i];
    if (share.weight == 0) continue;
    share.standing += share.weight;
    total += share.weight;
    std::size_t& choice =
        std::find(avoid.begin(), avoid.end(), share.id) == avoid.end() ? best : avoided;
    if (choice == kNone || share.standing > shares_[choice].standing) choice = i;
  }
  if (best == kNone) best = avoided;
  if (best != kNone) shares_[best].standing -= total;
  return best;
}

}  // namespace weir::upstream
