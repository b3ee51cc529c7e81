#pragma once

#include <chrono>
#include <cstdint>

#include "common/base/fields.h"

namespace weir::features {

using base::field;

// Adds Strict-Transport-Security to every response over TLS (RFC 6797; ingress-nginx's default).
struct Hsts {
  static constexpr std::string_view kStem = "hsts";
  static constexpr std::uint32_t kRevision = 1;

  std::chrono::seconds max_age{31'536'000};
  bool include_subdomains = true;
  bool preload = false;
  bool operator==(const Hsts&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("max_age_s", &Hsts::max_age),
              field("include_subdomains", &Hsts::include_subdomains),
              field("preload", &Hsts::preload));
  }
};

}  // namespace weir::features
