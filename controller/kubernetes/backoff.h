#pragma once

#include <algorithm>
#include <chrono>
#include <random>

#include "common/base/hash.h"

namespace weir::kubernetes {

// Waiting times of a watcher. The defaults are for production; tests shorten them.
struct WatchTimings {
  using Millis = std::chrono::milliseconds;
  Millis head{30'000};  // no status line within this: the connection is given up
  // No byte within this: watch again from the last version. A real server's first bookmark comes
  // after 60.8 s, so a quiet kind is asked about once a minute. That keeps staleness below a minute
  // for the few watches of whole kinds; watches of single objects are many and wait for the
  // bookmark.
  Millis stall{55'000};
  Millis stall_single{75'000};
  int stalls_to_relist = 10;  // silent watches in a row until the versions themselves are doubted
  Millis initial{15'000};     // no end of a WatchList's initial events within this: list instead
  Millis watch_min{300'000};  // timeoutSeconds of a watch, random in between
  Millis watch_max{600'000};
  Millis backoff_first{800};  // after errors, doubled up to …
  Millis backoff_most{30'000};
  Millis connect_min{400};  // after a failed connect, random in between, never doubled
  Millis connect_max{700};
  Millis healthy{120'000};  // a stream that lived so long resets the back-off
  Millis quick_end{1'000};  // a watch that ends sooner counts as an error
  Millis recheck{30'000};   // of kinds that are forbidden or not served
  // So long after a failed connect a server has just started: what it refuses meanwhile (403 before
  // it has read the roles, 429 and 500 before its caches are filled) is asked again as soon as a
  // connect is, and not believed.
  Millis young{15'000};
  Millis empty_grace{30'000};   // how long a sudden drop to nothing, or nearly, is held
  std::size_t drop_least = 20;  // of so many objects nine in ten gone at once is such a drop
  int page = 5'000;  // items per page of a list; 8 MiB of Ingresses, a fortieth of the time of 500
};

// Random numbers for jitter: not for secrets. One thread.
class Jitter {
 public:
  explicit Jitter(std::uint64_t salt)
      : random_(static_cast<std::minstd_rand::result_type>(
            base::mix64(base::process_seed(), salt | 1))) {}
  std::chrono::milliseconds between(std::chrono::milliseconds low, std::chrono::milliseconds high) {
    return std::chrono::milliseconds(std::uniform_int_distribution<std::int64_t>(
        low.count(), std::max(low, high).count())(random_));
  }

 private:
  std::minstd_rand random_;
};

// Doubling waits with a jitter of a fifth to both sides.
class Backoff {
 public:
  Backoff(const WatchTimings& timings, Jitter& jitter) : timings_(timings), jitter_(jitter) {}
  std::chrono::milliseconds next() {
    const auto wait = std::min<WatchTimings::Millis>(timings_.backoff_most,
                                                     timings_.backoff_first * (1LL << steps_));
    if (wait < timings_.backoff_most) ++steps_;
    return jitter_.between(wait * 4 / 5, wait * 6 / 5);
  }
  void reset() { steps_ = 0; }

 private:
  const WatchTimings& timings_;
  Jitter& jitter_;
  int steps_ = 0;
};

}  // namespace weir::kubernetes
