#pragma once

#include <cstdint>

#include "common/base/result.h"
#include "common/model/resource.h"

namespace weir::publish {

// What the controller makes itself when nobody gives it: the certificate for clients that no other
// certificate fits. An ordinary resource of the model; its key never leaves this process but by the
// socket.

inline constexpr int kDefaultCertificateDays = 365;

// Self-signed, P-256, SAN ingress.local; name "default".
base::Result<model::ResourcePtr> make_default_certificate(std::int64_t now_seconds);

}  // namespace weir::publish
