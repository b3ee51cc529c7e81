#include "dataplane/worker/offload.h"

#include <utility>

#include "common/base/check.h"

namespace weir::worker {

// Written by submit before the job is queued. The work belongs to the pool thread; wanted, finished
// and done to the home loop's thread.
struct OffloadHandle::State {
  State(loop::Loop& home_loop, base::TimePoint latest_start, base::UniqueFunction<void()> job,
        base::UniqueFunction<void(bool)> completion)
      : home(home_loop), latest(latest_start), work(std::move(job)), done(std::move(completion)) {}

  loop::Loop& home;
  const base::TimePoint latest;
  base::UniqueFunction<void()> work;
  base::UniqueFunction<void(bool)> done;
  bool wanted = true;
  bool finished = false;
};

OffloadHandle& OffloadHandle::operator=(OffloadHandle&& other) noexcept {
  if (this == &other) return *this;
  drop();
  state_ = std::move(other.state_);
  return *this;
}

OffloadHandle::~OffloadHandle() { drop(); }

void OffloadHandle::drop() {
  if (state_ != nullptr) state_->wanted = false;
  state_.reset();
}

bool OffloadHandle::pending() const { return state_ != nullptr && !state_->finished; }

Offload::Offload(std::size_t threads, std::size_t queue_limit) : queue_limit_(queue_limit) {
  WEIR_CHECK(threads >= 1);
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

Offload::~Offload() { stop(); }

void Offload::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

OffloadHandle Offload::submit(loop::Loop& home, base::Duration patience,
                              base::UniqueFunction<void()> work,
                              base::UniqueFunction<void(bool ran)> done) {
  const base::TimePoint latest = base::system_clock().now() + patience;
  auto state =
      std::make_shared<OffloadHandle::State>(home, latest, std::move(work), std::move(done));
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || queue_.size() >= queue_limit_) return {};
    queue_.push_back(state);
  }
  wake_.notify_one();
  return OffloadHandle(std::move(state));
}

std::size_t Offload::waiting() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

void Offload::run() {
  while (true) {
    std::shared_ptr<OffloadHandle::State> job;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (stopping_) return;
      job = std::move(queue_.front());
      queue_.pop_front();
    }
    const bool in_time = base::system_clock().now() <= job->latest;
    if (in_time) job->work();
    // The last reference goes home, so that what `done` owns is destroyed on the thread it belongs
    // to, also when nobody waits for it any more.
    loop::Loop& home = job->home;
    home.post([state = std::move(job), in_time] {
      state->finished = true;
      if (state->wanted) state->done(in_time);
    });
  }
}

}  // namespace weir::worker
