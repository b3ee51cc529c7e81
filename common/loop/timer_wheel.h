#pragma once

#include <array>
#include <cstdint>

#include "common/base/clock.h"
#include "common/base/unique_function.h"

namespace weir::loop {

class TimerWheel;

// Takes the end of a deadline. For objects on the request path, which embed a Timer and implement
// this.
class TimerTarget {
 public:
  virtual ~TimerTarget() = default;
  virtual void on_timer() = 0;
};

// One deadline, embedded in its owner. Moving the deadline later costs one store: the wheel finds
// out when the old slot comes up ("lazy re-arm"), so the per-request timeouts of a busy connection
// never touch the wheel. Destruction cancels.
class Timer {
 public:
  // wheel and target are borrowed for the timer's life.
  Timer(TimerWheel& wheel, TimerTarget& target) : wheel_(wheel), target_(&target) {}
  Timer(TimerWheel& wheel, base::UniqueFunction<void()> callback)
      : wheel_(wheel), callback_(std::move(callback)) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer();

  void arm(base::TimePoint deadline);
  void cancel() { armed_ = false; }
  bool armed() const { return armed_; }
  base::TimePoint deadline() const { return deadline_; }

 private:
  friend class TimerWheel;
  void unlink();

  TimerWheel& wheel_;
  TimerTarget* target_ = nullptr;
  base::UniqueFunction<void()> callback_;
  base::TimePoint deadline_{};
  std::int64_t slot_tick_ = 0;  // tick of the slot it is linked in
  Timer* next_ = nullptr;
  Timer** link_ = nullptr;  // what points at this timer; null when not linked
  bool armed_ = false;
};

// Hashed wheel with ticks of 10 ms and 4,096 slots (about 41 s a turn; later deadlines stay linked
// for more turns). One thread. Invariants: (1) an armed timer is linked in a slot at or before its
// deadline's tick; (2) a timer never fires before its deadline.
class TimerWheel {
 public:
  static constexpr std::chrono::milliseconds kTick{10};
  static constexpr std::size_t kSlots = 4096;

  explicit TimerWheel(base::TimePoint start) : start_(start) {}
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Fires every timer whose deadline is at or before now.
  void advance(base::TimePoint now);
  // How long a poll may sleep from now so that no timer is late by more than a tick; capped at
  // `most`.
  base::Duration until_next(base::TimePoint now, base::Duration most) const;
  std::size_t linked() const { return linked_; }

 private:
  friend class Timer;
  std::int64_t tick_at_or_after(base::TimePoint when) const;
  void link(Timer& timer);
  std::int64_t next_occupied(std::int64_t most) const;

  base::TimePoint start_;
  std::int64_t current_ = 0;  // the last tick that has been run
  std::size_t linked_ = 0;
  std::array<Timer*, kSlots> slots_{};
  std::array<std::uint64_t, kSlots / 64> occupied_{};  // a bit per slot that holds a timer
};

}  // namespace weir::loop
