#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>

#include "common/base/clock.h"

namespace weir::observe {

// A number that one thread counts and any thread reads. Adding is a plain load and store, not a
// locked instruction: there is one writer.
class Counter {
 public:
  void add(std::uint64_t by) { value_.store(read() + by, std::memory_order_relaxed); }
  void sub(std::uint64_t by) { value_.store(read() - by, std::memory_order_relaxed); }
  void clear() { value_.store(0, std::memory_order_relaxed); }
  std::uint64_t read() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// Upper bounds of the buckets, in the unit that is observed.
inline constexpr std::array<std::uint64_t, 11> kDurationBounds = {  // Prometheus' default, in ns
    5'000'000,   10'000'000,    25'000'000,    50'000'000,    100'000'000,   250'000'000,
    500'000'000, 1'000'000'000, 2'500'000'000, 5'000'000'000, 10'000'000'000};
inline constexpr std::array<std::uint64_t, 10> kSizeBounds = {  // ingress-nginx's, in bytes
    10, 20, 30, 40, 50, 60, 70, 80, 90, 100};
inline constexpr std::array<std::uint64_t, 7> kBytesBounds = {  // of bytes_sent
    10, 100, 1'000, 10'000, 100'000, 1'000'000, 10'000'000};

// Several histograms of one writer, all with N bounds. Buckets hold their own observations only;
// who reads adds them up. One bucket of all of them lies side by side and the usual one beside the
// sums, because a request of a route like any other should touch one cache line here, not two a
// histogram.
template <std::size_t N, std::size_t Many, std::size_t Usual>
class Histograms {
 public:
  static constexpr std::size_t kBuckets = N + 1;  // the last: above every bound

  void observe(std::size_t which, const std::array<std::uint64_t, N>& bounds, std::uint64_t value) {
    std::size_t at = 0;
    while (at < N && value > bounds[at]) ++at;
    rows_[row(at)][which].add(1);
    sums_[which].add(value);
  }
  void clear() {
    for (auto& row : rows_) {
      for (Counter& bucket : row) bucket.clear();
    }
    for (Counter& sum : sums_) sum.clear();
  }
  std::uint64_t bucket(std::size_t which, std::size_t at) const {
    return rows_[row(at)][which].read();
  }
  std::uint64_t sum(std::size_t which) const { return sums_[which].read(); }

 private:
  static constexpr std::size_t row(std::size_t at) { return (at + kBuckets - Usual) % kBuckets; }

  std::array<Counter, Many> sums_;
  std::array<std::array<Counter, Many>, kBuckets> rows_;
};

// Nanoseconds of a duration, negative ones as 0.
inline std::uint64_t nanos(base::Duration duration) {
  const auto count = std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count();
  return count > 0 ? static_cast<std::uint64_t>(count) : 0;
}

}  // namespace weir::observe
