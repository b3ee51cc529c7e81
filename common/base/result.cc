#include "common/base/result.h"

#include <system_error>

namespace weir::base {

Error system_error(std::string_view what, int errno_value) {
  return Error{ErrorKind::kSystem, Origin::kSelf, false,
               std::string(what) + ": " + std::generic_category().message(errno_value)};
}

}  // namespace weir::base
