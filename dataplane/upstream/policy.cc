#include "dataplane/upstream/policy.h"

#include <algorithm>

#include "common/base/hash.h"
#include "dataplane/upstream/balance.h"

namespace weir::upstream {

std::unique_ptr<Policy> make_policy(model::Balance policy, unsigned start) {
  if (policy == model::Balance::kLeastConn) return std::make_unique<LeastConn>(start);
  if (policy == model::Balance::kEwma) return std::make_unique<Ewma>(start);
  return std::make_unique<RoundRobin>(start);
}

void LeastConn::sync(std::span<const Candidate> candidates) {
  entries_.clear();
  for (const Candidate& one : candidates) entries_.push_back({one.seat, one.weight});
}

std::size_t LeastConn::pick(Avoid avoid, base::TimePoint now) {
  std::size_t best = kNone;
  std::uint64_t best_load = 0;
  bool best_avoided = true;
  const std::size_t size = entries_.size();
  const std::size_t from = size == 0 ? 0 : cursor_++ % size;
  for (std::size_t i = 0; i < size; ++i) {
    const std::size_t at = from + i < size ? from + i : from + i - size;
    const Entry& entry = entries_[at];
    if (entry.weight == 0) continue;
    const std::uint64_t load = std::uint64_t{entry.seat->in_flight(now)} + 1;
    const bool avoided = !avoid.empty() && contains(avoid, entry.seat->id);
    const bool better =
        best == kNone || (best_avoided && !avoided) ||
        (best_avoided == avoided && load * entries_[best].weight < best_load * entry.weight);
    if (!better) continue;
    best = at;
    best_load = load;
    best_avoided = avoided;
  }
  return best;
}

Ewma::Ewma(unsigned start)
    : random_(static_cast<std::minstd_rand::result_type>(base::process_seed() % 2147483629 + start +
                                                         1)) {}

void Ewma::sync(std::span<const Candidate> candidates) {
  entries_.clear();
  for (const Candidate& one : candidates) {
    entries_.push_back({one.seat, static_cast<double>(one.weight)});
  }
}

// A random one that is not `other`; one that is to be avoided only after a few draws in vain.
std::size_t Ewma::draw(std::size_t other, Avoid avoid) {
  std::size_t drawn = other;
  const std::size_t rest = entries_.size() - (other == kNone ? 0 : 1);
  for (std::size_t tries = 0; tries <= 2 * avoid.size(); ++tries) {
    drawn = random_() % rest;
    if (other != kNone && drawn >= other) ++drawn;
    if (!contains(avoid, entries_[drawn].seat->id)) return drawn;
  }
  for (std::size_t at = 0; at < entries_.size(); ++at) {
    if (at != other && !contains(avoid, entries_[at].seat->id)) return at;
  }
  return drawn;
}

double Ewma::average(base::TimePoint now) const {
  double sum = 0;
  std::size_t known = 0;
  for (const Entry& entry : entries_) {
    const double cost = entry.seat->state->cost(now);
    sum += cost;
    known += cost > 0 ? 1 : 0;
  }
  return known == 0 ? 1 : sum / static_cast<double>(known);
}

double Ewma::load(Entry& entry, base::TimePoint now) const {
  const double known = entry.seat->state->cost(now);
  const double cost = known > 0 ? known : average_;
  return cost * (static_cast<double>(entry.seat->in_flight(now)) + 1) / entry.weight;
}

std::size_t Ewma::pick(Avoid avoid, base::TimePoint now) {
  if (entries_.empty()) return kNone;
  if (entries_.size() == 1) return 0;
  if (now - averaged_ >= std::chrono::milliseconds(100)) {
    average_ = average(now);
    averaged_ = now;
  }
  const std::size_t one = draw(kNone, avoid);
  const std::size_t two = draw(one, avoid);
  const bool two_avoided = !avoid.empty() && contains(avoid, entries_[two].seat->id);
  return two_avoided || load(entries_[one], now) <= load(entries_[two], now) ? one : two;
}

}  // namespace weir::upstream
