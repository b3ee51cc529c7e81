#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace weir::crypto {

// Certificates of authorities and their revocation lists, parsed once to check them and turned into
// DER.
struct TrustBundle {
  std::vector<std::string> certificates;
  std::vector<std::string> crls;
};

// PEM as a Secret holds it under ca.crt and ca.crl (without the latter: no revocation). Other
// PEM blocks are passed over. Dates are not judged here: a handshake does. At most 1,024
// certificates and 128 lists, 768 KiB of DER in all. Any thread.
//   errors: kInvalid: no certificate, a block that cannot be read (names it), a ca.crl that is
//   there without a list, more than is accepted.
base::Result<TrustBundle> parse_trust_bundle(std::string_view ca_pem,
                                             std::optional<std::string_view> crl_pem);

}  // namespace weir::crypto
