#pragma once

#include "common/base/json.h"
#include "controller/translate/engine.h"

namespace weir::golden {

// The desired state in a form that people can compare: one line per resource, routes with what they
// match and where they lead, policies decoded, secrets only as their sizes.
base::Json listing(const translate::Engine& engine);

}  // namespace weir::golden
