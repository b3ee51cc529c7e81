#pragma once

#include <chrono>

namespace weir::base {

// Monotonic time for every timer and deadline: a jump of the wall clock must not fire or stall one.
using TimePoint = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;
// Wall-clock time, only for what people or certificates read.
using WallTime = std::chrono::system_clock::time_point;

// Where time comes from, so that tests can advance it. Implementations are safe from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
  virtual WallTime wall_now() const = 0;
};

// The kernel's clocks, read through the vDSO. Lives for the whole process.
const Clock& system_clock();

// A clock that stands still until advanced. For tests; one thread.
class ManualClock final : public Clock {
 public:
  TimePoint now() const override { return now_; }
  WallTime wall_now() const override { return wall_; }
  void advance(Duration by) {
    now_ += by;
    wall_ += std::chrono::duration_cast<WallTime::duration>(by);
  }
  void set_wall(WallTime to) { wall_ = to; }

 private:
  TimePoint now_{std::chrono::hours(1)};
  WallTime wall_{std::chrono::seconds(1'800'000'000)};
};

}  // namespace weir::base
