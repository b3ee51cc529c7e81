#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/upstream/policy.h"

namespace weir::upstream {

// Smooth weighted round robin (nginx's rule): at each pick every endpoint gains its weight, the
// richest is taken and pays the sum. Over any window of sum(weights) picks each endpoint is taken
// exactly weight times, and never in bursts. Keyed by endpoint id, so that a change of the set
// moves nobody else's turn.
//
// With equal weights that is a queue whose first goes behind the last: a pick is O(1). With others
// it is O(endpoints).
class RoundRobin final : public Policy {
 public:
  explicit RoundRobin(unsigned start) : start_(start) {}

  // Known ids keep their standing, new ones start at the average, gone ones are forgotten.
  void sync(std::span<const Candidate> candidates) override;
  std::size_t pick(Avoid avoid, base::TimePoint now = {}) override;

 private:
  struct Share {
    std::string id;
    std::int64_t standing = 0;
    std::int64_t weight = 0;
  };
  const Share* known(std::string_view id) const;
  void read_queue();
  void make_queue();
  std::size_t next_in_queue(Avoid avoid);

  unsigned start_;
  std::vector<Share> shares_;         // sorted by id
  std::vector<std::uint32_t> queue_;  // not empty: all weights are equal, these are the turns
  std::size_t cursor_ = 0;
};

}  // namespace weir::upstream
