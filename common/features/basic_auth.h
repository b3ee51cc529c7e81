#pragma once

#include <cstdint>
#include <string>

#include "common/base/fields.h"

namespace weir::features {

using base::field;

// Asks for a user and a password (RFC 7617; ingress-nginx: auth-type basic and its family). The
// users are the policy's blob 1, never JSON: one "user:hash" a line as in an htpasswd file (bcrypt,
// apr1, {SHA}, {SSHA}, crypt(3)).
struct BasicAuth {
  static constexpr std::string_view kStem = "basic_auth";
  static constexpr std::uint32_t kRevision = 1;

  std::string realm;
  bool operator==(const BasicAuth&) const = default;
  static constexpr auto fields(auto&& to) { return to(field("realm", &BasicAuth::realm)); }
};

}  // namespace weir::features
