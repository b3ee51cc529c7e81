#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <ctime>

namespace weir::tests {

// Whether this is a build with a sanitizer. There a test that is large to show a cost is a tenth of
// its size and judges no time: the sanitizer looks for other mistakes, and the cost is release's.
// clang names its sanitizers by __has_feature.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
#else
inline constexpr bool kSanitized = false;
#endif

// Time that the calling thread computed: what other work on the machine takes is not in it.
struct CpuClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<CpuClock>;
  static constexpr bool is_steady = true;
  static time_point now() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time_point(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
  }
};

template <typename Cost>
void expect_cost_below(Cost cost, Cost limit) {
  if constexpr (!kSanitized) {
    EXPECT_LT(cost, limit);
  }
}

}  // namespace weir::tests
