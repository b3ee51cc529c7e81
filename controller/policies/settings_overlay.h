#pragma once

#include <string>
#include <vector>

#include "common/base/json.h"
#include "common/model/settings.h"

namespace weir::policies {

// A field of a spec that does not count, and why.
struct RefusedField {
  std::string field;   // "spec.clientAddress.forwardedSources"
  std::string value;   // as it was written, cut
  std::string reason;  // "InvalidSetting", "UnknownSetting"
  std::string text;    // the accepted form, and what holds meanwhile
};

struct Overlay {
  model::Settings settings;
  std::vector<RefusedField> refused;
};

// The spec of a WeirSettings object over what flags and defaults give. A field that is absent or
// null keeps what is there; so does one that is bad, and it alone. Pure.
Overlay overlay(const base::Json& spec, model::Settings flags);

// The way back: the spec that says all of these settings. Pure.
base::Json settings_spec(const model::Settings& settings);

}  // namespace weir::policies
