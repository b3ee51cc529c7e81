#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/fields.h"

namespace weir::model {

using base::field;

enum class TlsVersion : std::uint8_t { kTls12, kTls13 };
inline base::EnumNames enum_names(TlsVersion) { return {"TLSv1.2", "TLSv1.3"}; }

// How the connections to a cluster's endpoints are encrypted. What cannot be honoured (a trust
// bundle or certificate that is not there) fails each connection: never plain text, never
// unverified. ALPN follows from the cluster's protocol.
struct UpstreamTls {
  bool enabled = false;
  std::string server_name;  // SNI; empty: none is sent
  // The chain must end at `trust`, the purpose be serverAuth, and a name match.
  bool verify = false;
  std::uint32_t verify_depth = 1;  // most intermediate authorities between leaf and anchor
  // DNS names or IP literals; the certificate must have one of them among its subject alternative
  // names (a wildcard of it stands for one label; the subject's common name does not count).
  // Empty: server_name; with that empty too, "service.namespace.svc".
  std::vector<std::string> sans;
  std::string trust;                  // name of a Trust; needed for verify
  std::string client_certificate;     // name of a Certificate to present; empty: none
  std::vector<TlsVersion> protocols;  // empty: both
  std::string ciphers;                // OpenSSL's list for TLS 1.2; empty: the default
  bool operator==(const UpstreamTls&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(
        field("enabled", &UpstreamTls::enabled), field("server_name", &UpstreamTls::server_name),
        field("verify", &UpstreamTls::verify), field("verify_depth", &UpstreamTls::verify_depth),
        field("sans", &UpstreamTls::sans), field("trust", &UpstreamTls::trust),
        field("client_certificate", &UpstreamTls::client_certificate),
        field("protocols", &UpstreamTls::protocols), field("ciphers", &UpstreamTls::ciphers));
  }
};

}  // namespace weir::model
