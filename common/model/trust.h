#pragma once

#include <cstdint>
#include <string>

#include "common/base/fields.h"

namespace weir::model {

using base::field;

// Whom to believe: certificates of authorities and, where there are any, their revocation lists.
// Used for certificates of clients and of upstreams. Blobs: `certificates` certificates in DER (at
// least one), then `crls` revocation lists in DER. The controller has checked that they parse.
// With a revocation list every issuer of a chain needs a valid one.
struct Trust {
  std::string name;  // "namespace/name" of the Secret
  std::uint32_t certificates = 0;
  std::uint32_t crls = 0;
  bool operator==(const Trust&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("name", &Trust::name), field("certificates", &Trust::certificates),
              field("crls", &Trust::crls));
  }
};

}  // namespace weir::model
