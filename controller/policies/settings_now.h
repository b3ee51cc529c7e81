#pragma once

#include <string>

#include "common/model/settings.h"
#include "controller/translate/unit.h"
#include "controller/translate/view.h"

namespace weir::policies {

// What holds now: the WeirSettings object of this namespace and name over the flags. Of the unit
// that emits the settings: its result gets the reports, also on objects of the kind that nobody
// selected, and who owns the settings. name may be empty: no object counts.
model::Settings settings_now(const std::string& ns, const std::string& name,
                             const model::Settings& flags, translate::View& view,
                             translate::UnitResult& result);

}  // namespace weir::policies
