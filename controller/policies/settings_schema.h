#pragma once

#include <string>

#include "common/base/json.h"

namespace weir::policies {

// The CustomResourceDefinition of WeirSettings, from the field lists of model::Settings and the
// rules beside them. The schema has no defaults: the API server would write them into the object,
// and what is absent must go on meaning the controller's flag.
base::Json settings_definition();

// The files that are made of it: the definition as YAML, and docs/settings.md.
std::string settings_definition_file();
std::string settings_page();

}  // namespace weir::policies
