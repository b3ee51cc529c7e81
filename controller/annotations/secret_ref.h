#pragma once

#include <memory>
#include <string>

#include "controller/annotations/reader.h"

namespace weir::annotations {

// The Secret that an annotation names as "[namespace/]name". Another namespace than the Ingress's
// is refused: its owner has not agreed.
struct SecretRef {
  std::string name;  // "namespace/name"
  std::shared_ptr<const store::Secret> secret;
  std::string problem;  // the accepted form, when there is no secret
};
SecretRef read_secret_ref(const FeatureInput& input, const Found& found);

// "on" or "off", as nginx has it, or a bool; anything else gives the fallback and a report.
bool read_switch(const FeatureInput& input, std::string_view key, bool fallback,
                 FeatureOutput& out);

// A number of intermediate authorities in 0..100; absent or bad gives 1, the latter with a report.
std::uint32_t read_depth(const FeatureInput& input, std::string_view key, FeatureOutput& out);

}  // namespace weir::annotations
