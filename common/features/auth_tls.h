#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/fields.h"

namespace weir::features {

using base::field;

// What a client's certificate decides. What the handshake asks for is the host's
// (model::ClientTls); every route of such a host has this policy.
struct AuthTls {
  static constexpr std::string_view kStem = "auth_tls";
  static constexpr std::uint32_t kRevision = 1;

  bool asks = true;          // false: none is asked for, the upstream is told NONE
  bool allow_plain = false;  // plain HTTP needs no certificate: challenges of authorities come so
  std::string error_page = {};  // http(s) URL to redirect to instead of answering 400; empty: none
  std::string match_cn =
      {};  // RE2, tested anywhere in the subject (RFC 2253): else 403; empty: all
  bool pass_certificate = false;  // ssl-client-cert to the upstream
  bool operator==(const AuthTls&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("asks", &AuthTls::asks), field("allow_plain", &AuthTls::allow_plain),
              field("error_page", &AuthTls::error_page), field("match_cn", &AuthTls::match_cn),
              field("pass_certificate", &AuthTls::pass_certificate));
  }
};

}  // namespace weir::features
