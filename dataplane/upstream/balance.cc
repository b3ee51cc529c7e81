#include "dataplane/upstream/balance.h"

#include <algorithm>

namespace weir::upstream {

const RoundRobin::Share* RoundRobin::known(std::string_view id) const {
  const auto at = std::lower_bound(
      shares_.begin(), shares_.end(), id,
      [](const Share& share, std::string_view key) { return std::string_view(share.id) < key; });
  return at != shares_.end() && at->id == id ? &*at : nullptr;
}

void RoundRobin::sync(std::span<const Candidate> candidates) {
  const bool first = shares_.empty();
  read_queue();
  std::int64_t sum = 0;
  std::int64_t kept = 0;
  std::vector<Share> next;
  next.reserve(candidates.size());
  for (const Candidate& one : candidates) {
    const Share* old = known(one.id);
    if (old != nullptr) {
      sum += old->standing;
      ++kept;
    }
    next.push_back({std::string(one.id), old == nullptr ? 0 : old->standing, one.weight});
  }
  // Standings are only compared with each other: measured from the average, a newcomer is neither
  // flooded nor starved, whatever the leavers had.
  const std::int64_t average = kept == 0 ? 0 : sum / kept;
  for (Share& share : next) {
    if (known(share.id) != nullptr) share.standing -= average;
  }
  shares_ = std::move(next);
  make_queue();
  if (!first || shares_.empty()) return;
  for (std::size_t i = start_ % shares_.size(); i > 0; --i) pick({});
}

// Standings that mean the same turns.
void RoundRobin::read_queue() {
  for (std::size_t i = 0; i < queue_.size(); ++i) {
    Share& share = shares_[queue_[(cursor_ + i) % queue_.size()]];
    share.standing = static_cast<std::int64_t>(queue_.size() - i) * share.weight;
  }
}

void RoundRobin::make_queue() {
  queue_.clear();
  cursor_ = 0;
  std::int64_t weight = 0;
  for (std::uint32_t i = 0; i < shares_.size(); ++i) {
    if (shares_[i].weight == 0) continue;
    if (weight != 0 && shares_[i].weight != weight) return queue_.clear();
    weight = shares_[i].weight;
    queue_.push_back(i);
  }
  std::stable_sort(queue_.begin(), queue_.end(), [this](std::uint32_t a, std::uint32_t b) {
    return shares_[a].standing > shares_[b].standing;
  });
}

std::size_t RoundRobin::next_in_queue(Avoid avoid) {
  const std::size_t size = queue_.size();
  std::size_t skipped = 0;
  while (!avoid.empty() && skipped < size &&
         contains(avoid, shares_[queue_[(cursor_ + skipped) % size]].id)) {
    ++skipped;
  }
  if (skipped == size) skipped = 0;
  // Who was passed over is next.
  for (std::size_t i = skipped; i > 0; --i) {
    std::swap(queue_[(cursor_ + i) % size], queue_[(cursor_ + i - 1) % size]);
  }
  const std::size_t chosen = queue_[cursor_];
  cursor_ = cursor_ + 1 == size ? 0 : cursor_ + 1;
  return chosen;
}

std::size_t RoundRobin::pick(Avoid avoid, base::TimePoint) {
  if (!queue_.empty()) return next_in_queue(avoid);
  std::int64_t total = 0;
  std::size_t best = kNone;
  std::size_t avoided = kNone;
  for (std::size_t i = 0; i < shares_.size(); ++i) {
    Share& share = shares_[i];
    if (share.weight == 0) continue;
    share.standing += share.weight;
    total += share.weight;
    std::size_t& choice = contains(avoid, share.id) ? avoided : best;
    if (choice == kNone || share.standing > shares_[choice].standing) choice = i;
  }
  if (best == kNone) best = avoided;
  if (best != kNone) shares_[best].standing -= total;
  return best;
}

}  // namespace weir::upstream
