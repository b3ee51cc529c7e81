#pragma once

#include <atomic>
#include <cstdint>

namespace weir::shared {

// What all workers know of one cluster. Made by the snapshot's builder, carried from snapshot to
// snapshot by the cluster's name. Any thread.
struct ClusterState {
  // Grows whenever an endpoint goes out or comes in: workers look at endpoints only then.
  std::atomic<std::uint64_t> changes{0};

  // Counted only when the cluster has the limit. A line of their own: writes of busy workers must
  // not slow down who reads `changes`.
  struct alignas(64) Going {
    std::atomic<std::uint32_t> requests{0};
    std::atomic<std::uint32_t> pending{0};
  };
  Going going;

  // For metrics; all of them rare.
  struct alignas(64) Totals {
    std::atomic<std::uint64_t> ejections{0};
    std::atomic<std::uint64_t> retries{0};
    std::atomic<std::uint64_t> retries_refused{0};
    std::atomic<std::uint64_t> over_connections{0};
    std::atomic<std::uint64_t> over_requests{0};
    std::atomic<std::uint64_t> over_pending{0};
    std::atomic<std::uint64_t> checks_good{0};
    std::atomic<std::uint64_t> checks_bad{0};
  };
  Totals totals;

  void changed() { changes.fetch_add(1, std::memory_order_release); }
};

// Counts one, unless there are `most`: then false, and nothing is counted. Two threads at the edge
// may both be refused, never both let in.
inline bool enter(std::atomic<std::uint32_t>& count, std::uint32_t most) {
  if (count.fetch_add(1, std::memory_order_relaxed) < most) return true;
  count.fetch_sub(1, std::memory_order_relaxed);
  return false;
}
inline void leave(std::atomic<std::uint32_t>& count) {
  count.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace weir::shared
