#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/fields.h"

namespace weir::features {

using base::field;

// Limits what one client address may ask of an Ingress (ingress-nginx: limit-rps, limit-rpm,
// limit-connections and their family). What is over is refused at once, never delayed.
struct RateLimit {
  static constexpr std::string_view kStem = "rate_limit";
  static constexpr std::uint32_t kRevision = 1;

  std::string zone;                    // what is counted together: "namespace/name" of the Ingress
  std::uint32_t per_second = 0;        // requests; 0: no limit
  std::uint32_t per_minute = 0;        // requests; 0: no limit
  std::uint32_t burst_multiplier = 5;  // so many times the rate may come at once besides
  std::uint32_t connections = 0;       // requests that are open at a time; 0: no limit
  std::uint16_t rate_status = 503;     // over one of the two rates
  std::uint16_t connections_status = 503;  // over `connections`
  std::vector<std::string> exempt;         // addresses and ranges without limits
  bool operator==(const RateLimit&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("zone", &RateLimit::zone), field("per_second", &RateLimit::per_second),
              field("per_minute", &RateLimit::per_minute),
              field("burst_multiplier", &RateLimit::burst_multiplier),
              field("connections", &RateLimit::connections),
              field("rate_status", &RateLimit::rate_status),
              field("connections_status", &RateLimit::connections_status),
              field("exempt", &RateLimit::exempt));
  }
};

}  // namespace weir::features
