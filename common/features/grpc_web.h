#pragma once

#include <cstdint>

#include "common/base/fields.h"

namespace weir::features {

using base::field;

// Serves gRPC-Web clients (browsers) from a gRPC backend.
struct GrpcWeb {
  static constexpr std::string_view kStem = "grpc_web";
  static constexpr std::uint32_t kRevision = 1;

  bool enabled = true;
  bool operator==(const GrpcWeb&) const = default;
  static constexpr auto fields(auto&& to) { return to(field("enabled", &GrpcWeb::enabled)); }
};

}  // namespace weir::features
