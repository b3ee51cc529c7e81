#pragma once

#include <cstdint>
#include <memory>

#include "dataplane/upstream/cluster.h"

namespace weir::upstream {

class Pool;

// One worker's numbers of one cluster. Plain: no other thread sees them.
struct Home {
  std::shared_ptr<shared::ClusterState> state;
  model::Ejection ejection;
  model::CircuitLimits limits;
  bool observes = false;          // answer times are wanted
  std::uint32_t retry_floor = 0;  // this worker's share
  std::uint32_t active = 0;       // uses of its endpoints
  std::uint32_t retries = 0;      // of these, retries that count in the budget
};

// One worker's view of one endpoint of one cluster. Lives as long as the endpoint is in the cluster
// and anything uses it.
struct Seat {
  std::string id;
  std::shared_ptr<shared::EndpointState> state;
  Home* home = nullptr;
  Pool* pool = nullptr;  // valid while the endpoint is in the cluster
  std::uint32_t index = 0;
  std::uint32_t weight = 1;
  std::uint32_t active = 0;  // this worker's uses
  bool local = false;        // in the dataplane's own zone
  bool in = true;            // may be picked, as of the last review
  bool trial = false;        // out until now by connect failures: the next use finds out
  std::uint32_t others = 0;  // what other workers have in flight there, at most 1 ms old
  base::TimePoint others_at{};

  // In flight in the whole process, nearly. Counted clusters only.
  std::uint32_t in_flight(base::TimePoint now) {
    if (now - others_at >= std::chrono::milliseconds(1)) {
      const std::uint32_t all = state->requests();
      others = all > active ? all - active : 0;
      others_at = now;
    }
    return active + others;
  }
};

}  // namespace weir::upstream
