#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/base/ip.h"
#include "common/base/persistent_map.h"
#include "common/model/cluster.h"
#include "dataplane/transport/upstream_policy.h"

namespace weir::upstream {

// One address of a cluster. id is stable over every change; pools and balancing state are keyed by
// it.
struct Endpoint {
  std::string id;
  base::SocketAddress address;
  std::uint32_t weight = 1;
};

// The compiled set of endpoints with its settings. Immutable; built by snapshot/. index: dense and
// stable for the life of the process as long as the name exists, so that worker-owned state is
// found by one array read.
struct Cluster {
  model::Cluster settings;
  transport::UpstreamPolicyPtr tls;  // null: plain text
  std::uint32_t index = 0;
  std::vector<Endpoint> endpoints;  // sorted by id; empty: 503
};
using ClusterTable = base::PersistentMap<Cluster>;  // by name

}  // namespace weir::upstream
