#pragma once

#include <string>

#include "common/base/json.h"
#include "weirctl/configuration.h"

namespace weir::weirctl {

// What a change of objects does to traffic: both states are compiled by the code that serves, and
// asked. The members are described in docs/weirctl.md.
struct Plan {
  base::Json json;
  bool loses = false;  // a route or certificate is lost, breaks, or goes to another owner
};
Plan make_plan(const Configuration& before, const Configuration& after);
// The same for people.
std::string plan_text(const Plan& plan);

}  // namespace weir::weirctl
