#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/persistent_map.h"
#include "common/model/certificate.h"
#include "dataplane/transport/client_certificate.h"

namespace weir::transport {

// A certificate as it came: bytes until a client first asks for it. Immutable, shared by all
// workers and snapshots.
struct CertificateEntry {
  model::Certificate facts;
  std::vector<std::string> chain;  // DER, leaf first
  std::string key;                 // DER, PKCS#8
};
using CertificateTable = base::PersistentMap<CertificateEntry>;  // by name

// Session ticket keys (80 bytes each: 16 name, 32 HMAC, 32 AES), the current one first. Empty: no
// tickets.
struct TicketKeySet {
  std::vector<std::string> keys;
};

// Chooses what a handshake is served with; implemented over the live snapshot. Called on the
// worker's thread, once per handshake. Pointers must live until the handshake's client hello
// callback returns.
class CertificateChooser {
 public:
  virtual ~CertificateChooser() = default;
  // server_name: SNI in lower case, empty when the client sent none. Several: one per key type.
  // Empty: the handshake fails.
  virtual void choose(std::string_view server_name,
                      std::vector<std::shared_ptr<const CertificateEntry>>& out) const = 0;
  virtual const TicketKeySet& tickets() const = 0;
  // What the client is asked for; null: nothing.
  virtual ClientPolicyPtr client_policy(std::string_view) const { return nullptr; }
  // Whether ALPN may agree on "h2".
  virtual bool offers_http2() const { return false; }
};

}  // namespace weir::transport
