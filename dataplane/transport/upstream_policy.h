#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dataplane/transport/certificate_table.h"
#include "dataplane/transport/trust.h"

namespace weir::transport {

// How connections to the endpoints of a cluster are encrypted, compiled: with everything it needs
// in it. Immutable; built by snapshot/, shared by pools, sessions and connections.
struct UpstreamPolicy {
  std::string id;  // hash of all the rest: connections and sessions of equal ones are shared
  std::string server_name;  // SNI; empty: none
  bool verify = false;
  int depth = 1;                   // most intermediate authorities
  std::vector<std::string> names;  // one of them must be in the certificate; not empty with verify
  TrustPtr trust;                  // not null with verify
  std::shared_ptr<const CertificateEntry> certificate;  // presented when asked for; may be null
  bool tls12 = true;
  bool tls13 = true;
  std::string ciphers;  // of TLS 1.2, OpenSSL's list; empty: ours
  std::string alpn;     // the protocols offered, as on the wire (RFC 7301)
  std::string broken;   // not empty: no connection can be made, this is why
};
using UpstreamPolicyPtr = std::shared_ptr<const UpstreamPolicy>;  // null: plain text

}  // namespace weir::transport
