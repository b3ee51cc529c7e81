#pragma once

#include "dataplane/snapshot/draft.h"

namespace weir::snapshot {

// The TLS policy of a cluster with everything it names in it; null: plain text. What is missing
// makes a policy that fails every connection, and degrades the cluster.
transport::UpstreamPolicyPtr compile_tls(Draft& draft, const model::Cluster& cluster);

// Whether the policy of a cluster with these settings is made of something that this draft changes.
bool tls_changed(const Draft& draft, const model::UpstreamTls& tls);

}  // namespace weir::snapshot
