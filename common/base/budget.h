#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "common/base/check.h"
#include "common/base/pressure.h"

namespace weir::base {

// Byte accounting in three steps: connection -> worker -> process. Plain accounting: who reads the
// pressure (pressure.h) decides what to do.
//
// ProcessBudget is shared by all threads; a WorkerBudget belongs to one thread and passes its sum
// on in steps of kStep, so the request path touches the shared counter once per 64 KiB and not once
// per buffer.

class ProcessBudget {
 public:
  // limit: bytes that the process may charge; 0 means no limit.
  explicit ProcessBudget(std::size_t limit = 0) : limit_(limit), pressure_(limit) {}
  std::size_t limit() const { return limit_.load(std::memory_order_relaxed); }
  std::size_t used() const {
    const auto used = used_.load(std::memory_order_relaxed);
    return used > 0 ? static_cast<std::size_t>(used) : 0;
  }
  void set_limit(std::size_t limit) {
    limit_.store(limit, std::memory_order_relaxed);
    pressure_.set_limit(limit);
  }
  void add(std::int64_t bytes) {
    pressure_.rose(used_.fetch_add(bytes, std::memory_order_relaxed) + bytes);
  }
  // Used part of the limit in percent, 0 when there is no limit.
  unsigned percent() const {
    const std::size_t limit = limit_.load(std::memory_order_relaxed);
    return limit == 0 ? 0 : static_cast<unsigned>(used() * 100 / limit);
  }

  // Rises with what is charged at once; who knows the resident set settles it.
  PressureGauge& pressure() { return pressure_; }
  const PressureGauge& pressure() const { return pressure_; }

 private:
  std::atomic<std::size_t> limit_;
  std::atomic<std::int64_t> used_{0};
  PressureGauge pressure_;
};

class WorkerBudget {
 public:
  static constexpr std::int64_t kStep = 64 * 1024;

  explicit WorkerBudget(ProcessBudget& process) : process_(process) {}
  WorkerBudget(const WorkerBudget&) = delete;
  WorkerBudget& operator=(const WorkerBudget&) = delete;
  ~WorkerBudget() { process_.add(-passed_on_); }

  void charge(std::size_t bytes) { move(static_cast<std::int64_t>(bytes)); }
  void release(std::size_t bytes) { move(-static_cast<std::int64_t>(bytes)); }
  std::int64_t used() const { return used_; }
  ProcessBudget& process() const { return process_; }
  Pressure pressure() const { return process_.pressure().level(); }

 private:
  void move(std::int64_t by) {
    used_ += by;
    const std::int64_t ahead = used_ - passed_on_;
    if (ahead >= kStep || ahead <= -kStep) {
      process_.add(ahead);
      passed_on_ = used_;
    }
  }
  ProcessBudget& process_;
  std::int64_t used_ = 0;
  std::int64_t passed_on_ = 0;
};

// What one connection (or other owner) has charged; gives it all back when destroyed. One thread.
class Charge {
 public:
  explicit Charge(WorkerBudget& worker) : worker_(&worker) {}
  Charge(const Charge&) = delete;
  Charge& operator=(const Charge&) = delete;
  ~Charge() { set(0); }

  // Says how many bytes the owner holds now.
  void set(std::size_t bytes) {
    if (bytes > bytes_) worker_->charge(bytes - bytes_);
    if (bytes < bytes_) worker_->release(bytes_ - bytes);
    bytes_ = bytes;
  }
  void add(std::size_t bytes) { set(bytes_ + bytes); }
  void sub(std::size_t bytes) {
    WEIR_CHECK(bytes <= bytes_);
    set(bytes_ - bytes);
  }
  std::size_t bytes() const { return bytes_; }

 private:
  WorkerBudget* worker_;
  std::size_t bytes_ = 0;
};

}  // namespace weir::base
