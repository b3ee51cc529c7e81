#include "controller/admin/flag_checks.h"

#include "controller/ingress/config.h"

namespace weir::admin {

base::Error bad_flag(std::string_view flag, std::string_view value, std::string_view accepted) {
  return base::invalid("--" + std::string(flag) + " '" + std::string(value) +
                       "': accepted: " + std::string(accepted));
}

base::Result<void> check_pair(std::string_view flag, const std::string& value) {
  const ingress::NamePair pair = ingress::split_name(value);
  const bool named =
      !pair.ns.empty() && !pair.name.empty() && pair.name.find('/') == std::string::npos;
  if (value.empty() || named) return {};
  return bad_flag(flag, value, "NAMESPACE/NAME");
}

}  // namespace weir::admin
