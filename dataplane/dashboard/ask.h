#pragma once

#include <string_view>

#include "common/base/json.h"
#include "dataplane/exchange/snapshot.h"

namespace weir::dashboard {

// The explain box: which route would take this request, why, which lost and why, and how the
// endpoints behind it are, by the code that routes. query: "method=GET&url=…&header=Name:%20value",
// headers one a line. Member "error": what is wrong with the question.
base::Json ask(const exchange::Snapshot& snapshot, std::string_view query);

// The decoded value of a parameter; empty when absent.
std::string parameter(std::string_view query, std::string_view name);

}  // namespace weir::dashboard
