#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "common/base/clock.h"
#include "common/base/fd.h"
#include "common/base/unique_function.h"
#include "common/loop/timer_wheel.h"

namespace weir::loop {

using base::Duration;
using base::TimePoint;

// Takes the readiness of one file descriptor. events: EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLHUP,
// EPOLLERR.
class IoHandler {
 public:
  virtual ~IoHandler() = default;
  virtual void on_io(std::uint32_t events) = 0;
};

// Something with output to write; see Loop::flush_later.
class Flushable {
 public:
  virtual ~Flushable() = default;
  virtual void flush() = 0;

 private:
  friend class Loop;
  bool flush_queued_ = false;
};

// Names one registered fd. A token of a removed fd is harmless: generation tags tell it from its
// successor.
struct IoToken {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;  // 0 means none
  bool valid() const { return generation != 0; }
};

using Task = base::UniqueFunction<void()>;

// A level-triggered epoll loop for one thread. Order of one iteration: epoll_wait, time read once,
// I/O handlers (each followed by the "soon" flushes it asked for), posted tasks, due timers,
// end-of-iteration flushes.
//
// All calls belong to the loop's thread but post() and stop(), which any thread may call.
// Invariants: (1) a handler is never called after remove() returned, also not for events of the
// same epoll_wait; (2) a handler may add, modify and remove any fd, its own included, and may
// destroy itself after remove(); (3) a timer never fires early.
class Loop {
 public:
  // clock: borrowed for the loop's life.
  explicit Loop(const base::Clock& clock = base::system_clock());
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // fd and handler are borrowed until remove(). Aborts when epoll refuses a valid fd.
  IoToken add(int fd, IoHandler& handler, std::uint32_t events);
  void modify(IoToken token, std::uint32_t events);  // stale tokens are ignored
  void remove(IoToken token);                        // stale tokens are ignored
  // remove() without its system call, for an fd that the caller closes next and that has no
  // duplicate: the kernel forgets it then.
  void release(IoToken token);
  // Hands the fd to another handler, with no system call; stale tokens are ignored.
  void rebind(IoToken token, IoHandler& handler);

  // Runs the task on the loop's thread in a later step. Wakes the loop. Tasks of one poster keep
  // their order. Any thread.
  void post(Task task);

  // Calls target.flush() once: flush_later at the end of this iteration, flush_soon right after the
  // handler that is running now (for output that borrows the worker's receive buffer). A queued
  // target that dies must call flush_cancel.
  void flush_later(Flushable& target);
  void flush_soon(Flushable& target);
  void flush_cancel(Flushable& target);

  // Time of this iteration, read once after epoll_wait.
  TimePoint now() const { return now_; }
  const base::Clock& clock() const { return clock_; }
  TimerWheel& timers() { return timers_; }

  void run();   // until stop()
  void stop();  // any thread
  // One iteration that waits at most `wait` (0: only what is ready now). For tests and for run().
  void run_once(Duration wait);

  // Loop figures for observe/: written by the loop's thread, readable by any.
  struct Figures {
    std::atomic<std::uint64_t> iterations{0};
    std::atomic<std::uint64_t> events{0};
    std::atomic<std::uint64_t> busy_ns{0};
  };
  const Figures& figures() const { return figures_; }

 private:
  struct Slot {
    int fd = -1;
    std::uint32_t generation = 0;
    std::uint32_t events = 0;
    IoHandler* handler = nullptr;
  };

  Slot* live(IoToken token);
  void dispatch(std::uint64_t tag, std::uint32_t events);
  void run_posted();
  void run_flushes(std::vector<Flushable*>& queue);
  int wait_millis(Duration wait) const;

  const base::Clock& clock_;
  TimePoint now_;
  TimerWheel timers_;
  base::UniqueFd epoll_;
  base::UniqueFd wake_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::vector<Flushable*> later_;
  std::vector<Flushable*> soon_;
  std::vector<Flushable*> flushing_;
  Figures figures_;

  std::mutex mutex_;  // guards posted_
  std::vector<Task> posted_;
  std::atomic<bool> posted_any_{false};
  std::atomic<bool> stop_{false};
};

}  // namespace weir::loop
