#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/fields.h"

namespace weir::model {

using base::field;

// One share of a route's traffic. An invalid backend keeps its share and answers 500 for it
// (Gateway API); reason says why.
struct WeightedBackend {
  std::string cluster;
  std::uint32_t weight = 1;  // 0: no traffic
  bool invalid = false;
  std::string reason;
  std::vector<std::string> policies;  // filters of this backend only, keys of policy resources
  bool operator==(const WeightedBackend&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(
        field("cluster", &WeightedBackend::cluster), field("weight", &WeightedBackend::weight),
        field("invalid", &WeightedBackend::invalid), field("reason", &WeightedBackend::reason),
        field("policies", &WeightedBackend::policies));
  }
};

}  // namespace weir::model
