#pragma once

#include <vector>

#include "dataplane/exchange/filter.h"

namespace weir::filters {

// Every feature of this dataplane, in the order of the chain. Any thread; lives for the process.
const std::vector<exchange::FilterKind>& filter_kinds();

}  // namespace weir::filters
