#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "common/base/clock.h"
#include "common/model/health.h"

namespace weir::shared {

// What all workers know of one endpoint of one cluster: how busy it is, how long its answers take,
// and whether it may be used. Made by the snapshot's builder, carried from snapshot to snapshot by
// the endpoint's id. Any thread.
//
// Requests touch it as little as they can: counts are kept only for clusters that need them, each
// worker in a cache line of its own; an answer writes nothing while all is well.
class EndpointState {
 public:
  // What a worker counts. One writer.
  struct alignas(64) Cell {
    std::atomic<std::uint32_t> requests{0};
    std::atomic<std::uint32_t> connections{0};
  };

  // workers: 0 when nothing is to be counted. joined: when it came into a set that already had
  // endpoints; TimePoint() for one that needs no slow start.
  EndpointState(unsigned workers, base::TimePoint joined);

  bool counts() const { return workers_ > 0; }
  Cell& cell(unsigned worker) { return cells_[worker]; }
  std::uint32_t requests() const;  // of all workers
  std::uint32_t connections() const;

  // --- Answer time: peak EWMA in nanoseconds. A late store of another worker may be lost.
  void answered(base::Duration time, base::TimePoint now);
  // Decayed to now; 0: no answer yet.
  double cost(base::TimePoint now) const;

  // --- Ejection. Each returns true when the endpoint went out by it.
  bool connect_failed(const model::Ejection& rule, base::TimePoint now);
  bool answer_failed(const model::Ejection& rule, base::TimePoint now);
  // A connection opened: writes only after a failure. True when the endpoint came in by it.
  bool connected(base::TimePoint now);
  void answer_good();  // writes only after a failure
  // An ejection by connect failures is over. One request may find out how it is; it is out for all
  // others until that is known. True for the one.
  bool claim_trial(const model::Ejection& rule, base::TimePoint now);
  bool on_trial(const model::Ejection& rule) const {
    return rule.connect_failures > 0 &&
           connect_failures_.load(std::memory_order_relaxed) >= rule.connect_failures;
  }
  bool ejected(base::TimePoint now) const { return now < ejected_until(); }
  base::TimePoint ejected_until() const {
    return base::TimePoint(base::Duration(until_.load(std::memory_order_relaxed)));
  }

  // --- Verdict of the active checks. Returns true when it changed.
  bool checked(bool well, const model::HealthCheck& rule, base::TimePoint now);
  // No checks any more.
  void forget_checks();
  bool healthy() const { return healthy_.load(std::memory_order_relaxed); }

  // Start of the slow start: when it joined or came back; TimePoint(): none.
  base::TimePoint warm_since() const {
    return base::TimePoint(base::Duration(warm_since_.load(std::memory_order_relaxed)));
  }

 private:
  base::Duration ejection_time(const model::Ejection& rule, std::uint32_t before) const;
  bool eject(const model::Ejection& rule, base::TimePoint now);

  const unsigned workers_;
  std::unique_ptr<Cell[]> cells_;
  std::atomic<double> cost_{0};
  std::atomic<std::int64_t> cost_at_{0};
  std::atomic<std::int64_t> until_{0};
  std::atomic<std::int64_t> warm_since_;
  std::atomic<std::uint32_t> connect_failures_{0};
  std::atomic<std::uint32_t> answer_failures_{0};
  std::atomic<std::uint32_t> ejections_{0};  // in close succession
  std::atomic<bool> healthy_{true};
  std::uint32_t streak_ = 0;  // of checks against the verdict; the checking worker's alone
};

}  // namespace weir::shared
