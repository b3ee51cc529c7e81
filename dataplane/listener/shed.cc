#include "dataplane/listener/shed.h"

#include <algorithm>
#include <array>
#include <bit>
#include <tuple>

#include "dataplane/shared/client_key.h"

namespace weir::listener {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kLeastBatch = 8;
constexpr std::size_t kBatchPart = 64;
// By tier. A client that speaks first has its bytes there within a segment of its handshake; the
// others wait for an answer of ours, and the last may be about to ask again.
constexpr std::array<milliseconds, 3> kShortestWait{milliseconds(20), milliseconds(1'000),
                                                    milliseconds(100)};
constexpr std::size_t kCounters = 4'096;  // of addresses; two that share one share its rank
constexpr std::uint64_t kSalt = 0x7368'6564ULL;

struct Candidate {
  Waiter::Tier tier;
  int rank;  // of its address: bits of how many wait there without a request
  base::TimePoint since;
  Waiter* waiter;
  std::size_t counter;
  bool operator<(const Candidate& other) const {
    return std::tuple(tier, -rank, since) < std::tuple(other.tier, -other.rank, other.since);
  }
};

// Those of a crowd that has been served are ranked by their age alone: many people may share one
// address.
void rank(std::vector<Candidate>& all) {
  std::vector<std::uint32_t> counts(kCounters);
  for (const Candidate& one : all) {
    if (one.tier != Waiter::Tier::kServed) ++counts[one.counter];
  }
  for (Candidate& one : all) {
    if (one.tier != Waiter::Tier::kServed) one.rank = std::bit_width(counts[one.counter]);
  }
}

// Leaves those who may go. Where all of an address are new, nobody goes of one that has fewer: they
// would pay for a crowd that comes back faster than it can be turned out.
//   returns: whether some are left out who may go in a moment.
bool spare_the_young(std::vector<Candidate>& all, base::TimePoint now) {
  std::array<int, 3> most{};  // by tier: the highest rank of one that is new
  const auto is_young = [now](const Candidate& one) {
    return now - one.since < kShortestWait[static_cast<std::size_t>(one.tier)];
  };
  for (const Candidate& one : all) {
    int& highest = most[static_cast<std::size_t>(one.tier)];
    if (is_young(one)) highest = std::max(highest, one.rank);
  }
  return std::erase_if(all, [&](const Candidate& one) {
           return is_young(one) || one.rank < most[static_cast<std::size_t>(one.tier)];
         }) > 0;
}

}  // namespace

std::size_t shed_batch(std::size_t connections) {
  return std::max(kLeastBatch, connections / kBatchPart);
}

Shed shed_waiting(const std::vector<Waiter*>& waiters, std::size_t most, base::TimePoint now,
                  const char* why) {
  Shed out;
  std::vector<Candidate> all;
  for (Waiter* const waiter : waiters) {
    const auto wait = waiter->wait();
    if (!wait) continue;
    const std::size_t counter = shared::client_key(*wait->client, kSalt) % kCounters;
    all.push_back({wait->tier, 0, wait->since, waiter, counter});
  }
  rank(all);
  const auto is_served = [](const Candidate& one) { return one.tier == Waiter::Tier::kServed; };
  const auto served = static_cast<std::size_t>(std::count_if(all.begin(), all.end(), is_served));
  if ((all.size() - served) * 2 >= waiters.size()) std::erase_if(all, is_served);
  out.soon = spare_the_young(all, now);
  // Some may turn out to have spoken just now.
  const std::size_t looked_at = std::min(2 * most, all.size());
  const auto end = all.begin() + static_cast<std::ptrdiff_t>(looked_at);
  std::partial_sort(all.begin(), end, all.end());
  for (auto at = all.begin(); at != end && out.closed < most; ++at) {
    if (at->waiter->has_unread()) continue;
    at->waiter->shed(why);
    ++out.closed;
  }
  out.soon |= looked_at > out.closed;
  return out;
}

}  // namespace weir::listener
