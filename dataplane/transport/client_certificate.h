#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/model/client_tls.h"
#include "dataplane/transport/trust.h"

namespace weir::transport {

// What a handshake asks of the client, with the authorities of that moment. Immutable.
struct ClientPolicy {
  model::ClientTls rule;
  TrustPtr trust;  // null: there is none of that name, nothing verifies
};
using ClientPolicyPtr = std::shared_ptr<const ClientPolicy>;  // null: nothing is asked for

// What the client presented, and what became of it. A resumed session has what the first one had:
// tickets are bound to the policy.
struct ClientCertificate {
  enum class Outcome : std::uint8_t {
    kNone,              // none came
    kVerified,          // chain, purpose, dates and revocation are fine
    kUnknownAuthority,  // only the authority is unknown
    kRefused,
  };
  ClientPolicyPtr policy;  // of the handshake, not null
  Outcome outcome = Outcome::kNone;
  std::string reason;   // of kUnknownAuthority and kRefused: "certificate has expired"
  std::string subject;  // RFC 2253
  std::string issuer;   // RFC 2253
  std::string der;      // the leaf
};

// Whether a connection whose handshake ran under `had` may carry requests of a host that wants
// `wanted`: only when that asks the same of the same authorities (RFC 9110 section 7.4: else 421).
// Null: nothing was asked, nothing is asked.
inline bool is_same_policy(const ClientPolicy* had, const ClientPolicy* wanted) {
  if (had == nullptr || wanted == nullptr) return had == wanted;
  const std::string had_hash = had->trust == nullptr ? "" : had->trust->hash;
  return had->rule == wanted->rule &&
         had_hash == (wanted->trust == nullptr ? "" : wanted->trust->hash);
}

}  // namespace weir::transport
