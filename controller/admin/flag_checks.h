#pragma once

#include <string>
#include <string_view>

#include "common/base/result.h"

namespace weir::admin {

// "--flag 'value': accepted: …", kInvalid.
base::Error bad_flag(std::string_view flag, std::string_view value, std::string_view accepted);

// Whether a flag is empty or NAMESPACE/NAME.
//   errors: bad_flag().
base::Result<void> check_pair(std::string_view flag, const std::string& value);

}  // namespace weir::admin
