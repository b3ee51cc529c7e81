#pragma once

#include <cstdint>

#include "common/base/result.h"
#include "common/model/resource.h"

namespace weir::publish {

// What the controller makes itself when nobody gives it: the certificate for clients that no other
// certificate fits, and the keys of session tickets. Both are ordinary resources of the model; keys
// never leave this process but by the socket.

inline constexpr int kDefaultCertificateDays = 365;

// Self-signed, P-256, SAN ingress.local; name "default".
base::Result<model::ResourcePtr> make_default_certificate(std::int64_t now_seconds);

// One fresh key of 80 bytes.
model::ResourcePtr make_ticket_keys();

}  // namespace weir::publish
