#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/fields.h"

namespace weir::features {

using base::field;

// Lets only some client addresses in: 403 for the others (ingress-nginx: allowlist-source-range,
// denylist-source-range).
struct IpAccess {
  static constexpr std::string_view kStem = "ip_access";
  static constexpr std::uint32_t kRevision = 1;

  std::vector<std::string> allow;  // addresses and ranges; empty: all
  std::vector<std::string> deny;   // looked at first
  bool operator==(const IpAccess&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("allow", &IpAccess::allow), field("deny", &IpAccess::deny));
  }
};

}  // namespace weir::features
