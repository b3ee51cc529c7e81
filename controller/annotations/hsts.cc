#include "common/features/hsts.h"

#include "controller/annotations/reader.h"

// Strict-Transport-Security on every response over TLS. No annotation: on for every route, as
// ingress-nginx has it.

namespace weir::annotations {
namespace {

void translate_hsts(const FeatureInput& input, FeatureOutput& out) {
  if (input.defaults.hsts) out.policies.push_back(make_policy_of(features::Hsts{}));
}

}  // namespace

extern const Feature kHsts;
const Feature kHsts = {features::Hsts::kStem, {}, translate_hsts};

}  // namespace weir::annotations
