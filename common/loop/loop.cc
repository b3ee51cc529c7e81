#include "common/loop/loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "common/base/check.h"

namespace weir::loop {
namespace {

constexpr std::uint64_t kWakeTag = 0;  // generation 0 is never given to a slot
constexpr std::size_t kEventsPerPoll = 256;
constexpr Duration kLongestSleep = std::chrono::seconds(10);

std::uint64_t tag_of(std::uint32_t slot, std::uint32_t generation) {
  return static_cast<std::uint64_t>(generation) << 32 | slot;
}

}  // namespace

Loop::Loop(const base::Clock& clock)
    : clock_(clock),
      now_(clock.now()),
      timers_(now_),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  WEIR_CHECK(epoll_.valid() && wake_.valid());
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kWakeTag;
  WEIR_CHECK(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) == 0);
}

Loop::~Loop() = default;

IoToken Loop::add(int fd, IoHandler& handler, std::uint32_t events) {
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const std::uint32_t index = free_slots_.back();
  free_slots_.pop_back();
  Slot& slot = slots_[index];
  slot.fd = fd;
  slot.events = events;
  slot.handler = &handler;
  if (++slot.generation == 0) slot.generation = 1;
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag_of(index, slot.generation);
  WEIR_CHECK(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0);
  return IoToken{index, slot.generation};
}

Loop::Slot* Loop::live(IoToken token) {
  if (!token.valid() || token.slot >= slots_.size()) return nullptr;
  Slot& slot = slots_[token.slot];
  return slot.generation == token.generation && slot.handler != nullptr ? &slot : nullptr;
}

void Loop::modify(IoToken token, std::uint32_t events) {
  Slot* slot = live(token);
  if (slot == nullptr || slot->events == events) return;
  slot->events = events;
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag_of(token.slot, token.generation);
  WEIR_CHECK(epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, slot->fd, &event) == 0);
}

void Loop::remove(IoToken token) {
  Slot* slot = live(token);
  if (slot == nullptr) return;
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, slot->fd, nullptr);
  release(token);
}

void Loop::release(IoToken token) {
  Slot* slot = live(token);
  if (slot == nullptr) return;
  slot->handler = nullptr;
  slot->fd = -1;
  free_slots_.push_back(token.slot);
}

void Loop::rebind(IoToken token, IoHandler& handler) {
  if (Slot* slot = live(token); slot != nullptr) slot->handler = &handler;
}

void Loop::post(Task task) {
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(task));
  }
  if (posted_any_.exchange(true)) return;  // the loop has been woken and has not looked yet
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
}

void Loop::flush_later(Flushable& target) {
  if (target.flush_queued_) return;
  target.flush_queued_ = true;
  later_.push_back(&target);
}

void Loop::flush_soon(Flushable& target) {
  if (target.flush_queued_) {
    // Already queued for the end of the iteration: move it forward.
    if (std::erase(later_, &target) == 0) return;
  }
  target.flush_queued_ = true;
  soon_.push_back(&target);
}

void Loop::flush_cancel(Flushable& target) {
  if (!target.flush_queued_) return;
  target.flush_queued_ = false;
  std::erase(later_, &target);
  std::erase(soon_, &target);
  std::replace(flushing_.begin(), flushing_.end(), &target, static_cast<Flushable*>(nullptr));
}

void Loop::run_flushes(std::vector<Flushable*>& queue) {
  // A flush may queue further ones (an upstream's output opens a client's window); bounded, so that
  // two peers cannot play for ever.
  for (int round = 0; round < 16 && !queue.empty(); ++round) {
    flushing_.swap(queue);
    for (std::size_t i = 0; i < flushing_.size(); ++i) {
      Flushable* target = flushing_[i];
      if (target == nullptr) continue;
      target->flush_queued_ = false;
      target->flush();
    }
    flushing_.clear();
  }
}

void Loop::dispatch(std::uint64_t tag, std::uint32_t events) {
  const IoToken token{static_cast<std::uint32_t>(tag), static_cast<std::uint32_t>(tag >> 32)};
  if (!token.valid()) {
    std::uint64_t drained = 0;
    [[maybe_unused]] const auto got = ::read(wake_.get(), &drained, sizeof drained);
    return;
  }
  Slot* slot = live(token);
  if (slot == nullptr) return;
  slot->handler->on_io(events);
  if (!soon_.empty()) run_flushes(soon_);
}

void Loop::run_posted() {
  if (!posted_any_.exchange(false)) return;
  std::vector<Task> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(posted_);
  }
  for (Task& task : tasks) task();
}

int Loop::wait_millis(Duration wait) const {
  const Duration sleep = timers_.until_next(clock_.now(), std::min(wait, kLongestSleep));
  const auto rounded_up = std::chrono::ceil<std::chrono::milliseconds>(sleep);
  return static_cast<int>(rounded_up.count());
}

void Loop::run_once(Duration wait) {
  std::array<epoll_event, kEventsPerPoll> events;
  const bool idle_allowed = later_.empty() && soon_.empty() && !posted_any_.load();
  const int ready = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                               idle_allowed ? wait_millis(wait) : 0);
  now_ = clock_.now();
  WEIR_CHECK(ready >= 0 || errno == EINTR);
  for (int i = 0; i < ready; ++i)
    dispatch(events[static_cast<std::size_t>(i)].data.u64,
             events[static_cast<std::size_t>(i)].events);
  run_posted();
  timers_.advance(now_);
  run_flushes(soon_);
  run_flushes(later_);
  figures_.iterations.store(figures_.iterations.load(std::memory_order_relaxed) + 1,
                            std::memory_order_relaxed);
  figures_.events.store(figures_.events.load(std::memory_order_relaxed) +
                            static_cast<std::uint64_t>(std::max(ready, 0)),
                        std::memory_order_relaxed);
  const auto busy =
      std::chrono::duration_cast<std::chrono::nanoseconds>(clock_.now() - now_).count();
  figures_.busy_ns.store(
      figures_.busy_ns.load(std::memory_order_relaxed) + static_cast<std::uint64_t>(busy),
      std::memory_order_relaxed);
}

void Loop::run() {
  stop_.store(false);
  while (!stop_.load(std::memory_order_relaxed)) run_once(kLongestSleep);
}

void Loop::stop() {
  post([this] { stop_.store(true); });
}

}  // namespace weir::loop
