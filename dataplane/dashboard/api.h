#pragma once

#include <cstdint>
#include <string_view>

#include "common/base/json.h"
#include "common/base/metrics.h"
#include "dataplane/exchange/snapshot.h"

namespace weir::dashboard {

// What the page is told, as JSON (docs/dashboard.md lists the members). Names, addresses, figures;
// no keys, no secrets, no settings of features.

// now: seconds since the epoch. Counts, listeners, and what answers errors or soon will.
base::Json overview(const exchange::Snapshot& snapshot, std::int64_t now);

// Routes whose host, path, owner or service contains `search` (without case), at most `limit`.
struct RouteFilter {
  std::string search;
  std::size_t limit = 20'000;
};
base::Json routes(const exchange::Snapshot& snapshot, const RouteFilter& filter);

// Clusters with their endpoints and how these are.
base::Json endpoints(const exchange::Snapshot& snapshot);
base::Json certificates(const exchange::Snapshot& snapshot);

// Counters of each route that had a request, and of the process. now: milliseconds, only compared.
base::Json traffic(const std::vector<base::Family>& families, std::int64_t now);

}  // namespace weir::dashboard
