#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "common/base/unique_function.h"
#include "common/loop/loop.h"

namespace weir::worker {

// Cancels its job's completion when destroyed; the work itself may still run to its end. Belongs to
// the home loop's thread.
class OffloadHandle {
 public:
  OffloadHandle() = default;
  OffloadHandle(OffloadHandle&&) noexcept = default;
  OffloadHandle& operator=(OffloadHandle&& other) noexcept;
  ~OffloadHandle();
  // True from an accepted submit until done has run.
  bool pending() const;

 private:
  friend class Offload;
  struct State;
  explicit OffloadHandle(std::shared_ptr<State> state) : state_(std::move(state)) {}
  void drop();
  std::shared_ptr<State> state_;
};

// A bounded pool of threads for what burns CPU or blocks (bcrypt, RSA, disk), so that no event loop
// waits for it. Any thread submits.
class Offload {
 public:
  // threads >= 1; queue_limit: jobs waiting, over it submit refuses (the caller answers 503).
  Offload(std::size_t threads, std::size_t queue_limit);
  ~Offload();  // stops
  Offload(const Offload&) = delete;
  Offload& operator=(const Offload&) = delete;

  // work runs on a pool thread; done runs on home's thread after it, unless the handle died first.
  // home must live until stop() returns. A job that waited longer than `patience` is dropped:
  // done(false); else done(true). Returns a handle that is not pending when the queue is full.
  OffloadHandle submit(loop::Loop& home, base::Duration patience, base::UniqueFunction<void()> work,
                       base::UniqueFunction<void(bool ran)> done);
  // Finishes running jobs, whose completions are posted, drops waiting ones, refuses new ones.
  // Called before the loops of the jobs end. One thread, at most once beside the destructor.
  void stop();
  std::size_t waiting() const;

 private:
  void run();

  const std::size_t queue_limit_;
  mutable std::mutex mutex_;  // guards queue_ and stopping_
  std::condition_variable wake_;
  std::deque<std::shared_ptr<OffloadHandle::State>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace weir::worker
