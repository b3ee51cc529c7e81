#pragma once

#include "common/base/json.h"
#include "dataplane/exchange/snapshot.h"

namespace weir::snapshot {

// The snapshot for people and for weirctl: version, settings, listeners, hosts, routes with
// provenance, backends and filters, clusters with endpoints, certificates without their keys.
// Everything sorted, so that equal snapshots give equal text.
base::Json dump(const exchange::Snapshot& snapshot);

}  // namespace weir::snapshot
