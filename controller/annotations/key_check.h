#pragma once

#include "controller/annotations/row.h"

namespace weir::annotations {

// Tells the owner about every annotation under our prefixes that no feature reads: not supported
// yet, removed, or unknown. One that restricts access closes the Ingress's paths: leaving it out
// would open what its owner closed. Adds to out; call once per Ingress and unit.
void check_keys(const FeatureInput& input, FeatureOutput& out);

}  // namespace weir::annotations
