#pragma once

#include <cstdint>

#include "common/base/clock.h"
#include "dataplane/shared/words.h"

namespace weir::shared {

// How much a client may do: one every `interval`, and `burst` more at once.
struct Rate {
  std::uint64_t interval_us = 0;  // > 0
  std::uint64_t burst = 0;        // at most 2^20
};

// Rate buckets of any number of clients in fixed memory. A bucket is one 64-bit word: 16 bits of
// the key and the time at which the bucket is empty again (a leaky bucket kept as its drain time).
// A key may stand in the eight words of its set only.
//
// Eviction is fair: a bucket that has run empty is worth nothing and its word is free; with all
// eight in use the one that is empty soonest goes, so that a flood of new clients never makes the
// table forget who uses most. What is forgotten counts as empty: errors are in the client's favour,
// but for two clients of a set whose 16 bits are equal, who share a bucket.
//
// One atomic operation a call. Any thread.
class RateTable {
 public:
  static constexpr std::size_t kWords = 262'144;  // 2 MiB

  explicit RateTable(base::TimePoint start, std::size_t words = kWords)
      : start_(start), words_(words / Words::kWays) {}

  // Takes one from the bucket of key (client_key.h). False when that is more than the rate allows:
  // then nothing was taken.
  bool take(std::uint64_t key, const Rate& rate, base::TimePoint now);
  std::size_t bytes() const { return words_.bytes(); }

 private:
  const base::TimePoint start_;
  Words words_;
};

}  // namespace weir::shared
