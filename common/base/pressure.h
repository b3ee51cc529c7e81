#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace weir::base {

// How short the process is of memory, from the used part of its limit. Each level includes those
// below.
enum class Pressure : std::uint8_t {
  kNone,
  kBodies,     // 80 %: no new request body is read, buffers stay small
  kKeepAlive,  // 90 %: connections close behind their answer, new streams are refused
  kRequests    // 95 %: new requests are answered with 503, who waits longest is closed
};
inline constexpr std::size_t kPressures = 4;

// What was done because of it, for the metrics.
enum class PressureAction : std::uint8_t { kHeldBody, kClosedBehind, kRefused, kClosedWaiting };
inline constexpr std::size_t kPressureActions = 4;

// The level that goes with a number of bytes. A level is entered at once and left five points below
// where it begins, so that it does not flap. Any thread.
class PressureGauge {
 public:
  // limit: 0 means that there is never pressure.
  explicit PressureGauge(std::size_t limit) { set_limit(limit); }
  void set_limit(std::size_t limit);
  // measure: what is in use now, all told; any thread may call it. From then on it is asked each
  // time that the said bytes have grown by a part of the limit since the last time, so that what
  // grows beside them is not first seen by the next settle(). Before other threads use the gauge.
  void measure_by(std::uint64_t (*measure)()) { measure_ = measure; }

  Pressure level() const { return level_.load(std::memory_order_relaxed); }
  // More bytes are in use: may enter a level, leaves none. Costs one load below the next level.
  void rose(std::int64_t bytes) {
    if (bytes >= next_.load(std::memory_order_relaxed)) enter(bytes);
  }
  // What is in use now, all told: enters or leaves levels. One thread calls this, now and then.
  // beside: as much of it nobody says by rose(), which adds it from now on. said: what rose() was
  // told of last.
  void settle(std::size_t bytes, std::size_t beside = 0, std::size_t said = 0);

  void count(PressureAction action, std::uint64_t times = 1) {
    actions_[static_cast<std::size_t>(action)].fetch_add(times, std::memory_order_relaxed);
  }
  std::uint64_t counted(PressureAction action) const {
    return actions_[static_cast<std::size_t>(action)].load(std::memory_order_relaxed);
  }

 private:
  std::int64_t start_of(std::size_t level) const;
  void enter(std::int64_t bytes);
  void move_to(std::size_t level, std::int64_t said);

  std::atomic<std::size_t> limit_{0};
  std::atomic<Pressure> level_{Pressure::kNone};
  std::atomic<std::int64_t> beside_{0};
  std::uint64_t (*measure_)() = nullptr;
  // Said bytes with which the next level begins or it is time to measure.
  std::atomic<std::int64_t> next_{std::numeric_limits<std::int64_t>::max()};
  std::array<std::atomic<std::uint64_t>, kPressureActions> actions_{};
};

}  // namespace weir::base
