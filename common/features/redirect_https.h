#pragma once

#include <cstdint>

#include "common/base/fields.h"

namespace weir::features {

using base::field;

// Answers plain HTTP with a redirect to https:// on the listener's public HTTPS port
// (ingress-nginx: ssl-redirect and its family).
struct RedirectHttps {
  static constexpr std::string_view kStem = "redirect_https";
  static constexpr std::uint32_t kRevision = 1;

  std::uint16_t code = 308;  // 301, 302, 307 or 308
  std::uint16_t port = 443;  // public port; 443 is left out of the Location
  bool keep_trailing_slash =
      false;  // false strips one trailing '/' of the path, as ingress-nginx does
  bool operator==(const RedirectHttps&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("code", &RedirectHttps::code), field("port", &RedirectHttps::port),
              field("keep_trailing_slash", &RedirectHttps::keep_trailing_slash));
  }
};

}  // namespace weir::features
