#include "dataplane/shared/rate_table.h"

#include <algorithm>
#include <chrono>

namespace weir::shared {
namespace {

constexpr unsigned kTimeBits = 48;  // microseconds: nine years
constexpr std::uint64_t kTimeMask = (std::uint64_t{1} << kTimeBits) - 1;
constexpr int kMostRateTries = 16;  // against other threads at the same word

std::uint64_t rate_tag(std::uint64_t key) { return key >> kTimeBits; }
std::uint64_t tag_in(std::uint64_t word) { return word >> kTimeBits; }
std::uint64_t drained_at(std::uint64_t word) { return word & kTimeMask; }

// The key's own word, else the one to be given up: the soonest drained.
std::uint64_t& choose(Words::Set set, std::uint64_t tag) {
  std::uint64_t* soonest = &set[0];
  for (std::uint64_t& word : set) {
    const std::uint64_t now = Words::load(word);
    if (now != 0 && tag_in(now) == tag) return word;
    if (drained_at(now) < drained_at(Words::load(*soonest))) soonest = &word;
  }
  return *soonest;
}

}  // namespace

bool RateTable::take(std::uint64_t key, const Rate& rate, base::TimePoint now) {
  const auto since = std::chrono::duration_cast<std::chrono::microseconds>(now - start_).count();
  const auto time = static_cast<std::uint64_t>(std::max<std::int64_t>(since, 0)) + 1;
  const std::uint64_t tag = rate_tag(key);
  for (int tries = 0; tries < kMostRateTries; ++tries) {
    std::uint64_t& word = choose(words_.set(key), tag);
    std::uint64_t before = Words::load(word);
    const bool known = before != 0 && tag_in(before) == tag;
    const std::uint64_t drained = known ? std::max(drained_at(before), time) : time;
    if (drained - time > rate.burst * rate.interval_us) return false;
    const std::uint64_t after = (drained + rate.interval_us) & kTimeMask;
    if (Words::swap(word, before, tag << kTimeBits | after)) return true;
  }
  return true;
}

}  // namespace weir::shared
