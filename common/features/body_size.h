#pragma once

#include <cstdint>

#include "common/base/fields.h"

namespace weir::features {

using base::field;

// Refuses a request whose body is larger with 413 (ingress-nginx: proxy-body-size).
struct BodySize {
  static constexpr std::string_view kStem = "body_size";
  static constexpr std::uint32_t kRevision = 1;

  std::uint64_t max_bytes = 1'048'576;  // 0: no limit
  bool operator==(const BodySize&) const = default;
  static constexpr auto fields(auto&& to) { return to(field("max_bytes", &BodySize::max_bytes)); }
};

}  // namespace weir::features
