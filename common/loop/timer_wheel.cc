#include "common/loop/timer_wheel.h"

#include <algorithm>
#include <bit>

namespace weir::loop {
namespace {

std::uint64_t bit_of(std::size_t slot) { return std::uint64_t{1} << (slot % 64); }

}  // namespace

Timer::~Timer() { unlink(); }

void Timer::arm(base::TimePoint deadline) {
  deadline_ = deadline;
  armed_ = true;
  if (link_ != nullptr && wheel_.tick_at_or_after(deadline) >= slot_tick_)
    return;  // found and moved when its slot comes up
  unlink();
  wheel_.link(*this);
}

void Timer::unlink() {
  if (link_ == nullptr) return;
  *link_ = next_;
  if (next_ != nullptr) next_->link_ = link_;
  link_ = nullptr;
  next_ = nullptr;
  const std::size_t slot = static_cast<std::size_t>(slot_tick_) % TimerWheel::kSlots;
  if (wheel_.slots_[slot] == nullptr) wheel_.occupied_[slot / 64] &= ~bit_of(slot);
  --wheel_.linked_;
}

std::int64_t TimerWheel::tick_at_or_after(base::TimePoint when) const {
  const auto since = when - start_;
  const auto ticks = (since + kTick - base::Duration(1)) / kTick;
  return static_cast<std::int64_t>(ticks);
}

void TimerWheel::link(Timer& timer) {
  timer.slot_tick_ = std::max(tick_at_or_after(timer.deadline_), current_ + 1);
  const std::size_t slot = static_cast<std::size_t>(timer.slot_tick_) % kSlots;
  occupied_[slot / 64] |= bit_of(slot);
  Timer*& head = slots_[slot];
  timer.next_ = head;
  if (head != nullptr) head->link_ = &timer.next_;
  timer.link_ = &head;
  head = &timer;
  ++linked_;
}

void TimerWheel::advance(base::TimePoint now) {
  const auto target = static_cast<std::int64_t>((now - start_) / kTick);
  if (linked_ == 0) {
    current_ = std::max(current_, target);
    return;
  }
  // A pause longer than a turn visits each slot once: every linked timer is looked at, none twice.
  const std::int64_t first = std::max(current_ + 1, target - static_cast<std::int64_t>(kSlots) + 1);
  for (std::int64_t tick = first; tick <= target; ++tick) {
    current_ = tick;
    Timer* due = slots_[static_cast<std::size_t>(tick) % kSlots];
    slots_[static_cast<std::size_t>(tick) % kSlots] = nullptr;
    // The chain hangs on a local head while callbacks run, so that they may cancel, re-arm or
    // destroy any timer in it.
    if (due != nullptr) due->link_ = &due;
    while (due != nullptr) {
      Timer& timer = *due;
      timer.unlink();
      if (!timer.armed_) continue;
      if (timer.deadline_ > now) {
        link(timer);
        continue;
      }
      timer.armed_ = false;
      if (timer.target_ != nullptr) {
        timer.target_->on_timer();
      } else {
        timer.callback_();
      }
    }
  }
}

base::Duration TimerWheel::until_next(base::TimePoint now, base::Duration most) const {
  if (linked_ == 0) return most;
  const auto ticks = std::min<std::int64_t>(static_cast<std::int64_t>(most / kTick),
                                            static_cast<std::int64_t>(kSlots));
  const std::int64_t ahead = next_occupied(ticks);
  if (ahead == 0) return most;
  const base::TimePoint at = start_ + kTick * (current_ + ahead);
  return std::clamp<base::Duration>(at - now, base::Duration::zero(), most);
}

// How many ticks ahead the next slot with a timer lies; 0: none within `most`.
std::int64_t TimerWheel::next_occupied(std::int64_t most) const {
  for (std::int64_t ahead = 1; ahead <= most;) {
    const std::size_t slot = static_cast<std::size_t>(current_ + ahead) % kSlots;
    const std::uint64_t word = occupied_[slot / 64] >> (slot % 64);
    if (word == 0) {
      ahead += static_cast<std::int64_t>(64 - slot % 64);
      continue;
    }
    ahead += std::countr_zero(word);
    return ahead <= most ? ahead : 0;
  }
  return 0;
}

}  // namespace weir::loop
