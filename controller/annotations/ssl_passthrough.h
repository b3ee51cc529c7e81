#pragma once

#include "controller/annotations/reader.h"

namespace weir::annotations {

// ssl-passthrough is the host's, not the route's: the host's builder asks here.

inline constexpr std::string_view kSslPassthroughKey = "ssl-passthrough";

// Whether the Ingress asks for it; a bad value is told and counts as no.
bool wants_passthrough(const FeatureInput& input, FeatureOutput& out);

}  // namespace weir::annotations
