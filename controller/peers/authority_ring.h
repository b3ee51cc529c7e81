#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/crypto/certificate.h"

namespace weir::peers {

inline constexpr std::chrono::hours kAuthorityPeriod{24 * 90};           // between rotations
inline constexpr std::string_view kAuthorityField = "authorities.json";  // of the Secret

// The authorities whose certificates replicas show to each other. `current` signs; all three are
// trusted. One is `next` for a period before it is `current`, so that whoever meets the first
// certificate of it trusts it already, and `previous` for one after; of that only the certificate
// is kept. Each outlives its three periods by a month.
struct AuthorityRing {
  std::int64_t rotated = 0;  // when `current` became it, in seconds since the epoch
  std::string previous;      // PEM certificate; empty: there was none
  crypto::PemPair current;
  crypto::PemPair next;

  bool empty() const { return current.certificate.empty(); }
  std::string trusted() const {
    return previous + "\n" + current.certificate + "\n" + next.certificate;
  }
};

AuthorityRing make_authority_ring(std::int64_t now);
// One step on; after two periods without one, and so of no use to anybody, a fresh ring.
AuthorityRing rotated(const AuthorityRing& ring, std::int64_t now, std::chrono::seconds period);
// A ring from the future (a clock was wrong, here or where it was written) is due, too: else
// nothing would rotate until then.
bool rotation_due(const AuthorityRing& ring, std::int64_t now, std::chrono::seconds period);

// As it stands in the Secret.
std::string to_text(const AuthorityRing& ring);
//   errors: kInvalid; the text holds nothing of the keys.
base::Result<AuthorityRing> parse_authority_ring(std::string_view text);

}  // namespace weir::peers
