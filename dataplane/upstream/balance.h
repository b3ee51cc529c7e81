#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/upstream/cluster.h"

namespace weir::upstream {

// Smooth weighted round robin (nginx's rule): at each pick every endpoint gains its weight, the
// richest is taken and pays the sum. Over any window of sum(weights) picks each endpoint is taken
// exactly weight times, and never in bursts. One worker's state of one cluster; keyed by endpoint
// id, so that a change of the set moves nobody else's turn.
class RoundRobin {
 public:
  static constexpr std::size_t kNone = SIZE_MAX;

  // start: workers begin at different endpoints, so that few requests spread over many workers do
  // not all meet the first one. Usually the worker's index.
  explicit RoundRobin(unsigned start) : start_(start) {}

  // Takes over a new set: known ids keep their standing, new ones start at the average, gone ones
  // are forgotten. endpoints: sorted by id; borrowed for the call.
  void sync(const std::vector<Endpoint>& endpoints);

  // Index into the set of the last sync, or kNone when no endpoint has a weight. avoid: ids that
  // are taken only when there is no other. O(endpoints), no allocation.
  std::size_t pick(std::span<const std::string> avoid = {});

 private:
  struct Share {
    std::string id;
    std::int64_t standing = 0;
    std::int64_t weight = 0;
  };
  const Share* known(std::string_view id) const;

  unsigned start_;
  std::vector<Share> shares_;  // sorted by id
};

}  // namespace weir::upstream
