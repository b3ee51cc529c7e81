#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/base/ip.h"
#include "common/base/persistent_map.h"
#include "common/model/cluster.h"
#include "dataplane/shared/cluster_state.h"
#include "dataplane/shared/endpoint_state.h"
#include "dataplane/transport/upstream_policy.h"
#include "dataplane/upstream/places.h"

namespace weir::upstream {

// One address of a cluster. id is stable over every change; pools and balancing state are keyed by
// it.
struct Endpoint {
  std::string id;
  base::SocketAddress address;
  std::uint32_t weight = 1;
  std::string zone = {};
  std::shared_ptr<shared::EndpointState> state = {};  // outlives the snapshot; null in tests only
};

// The compiled set of endpoints with its settings. Immutable; built by snapshot/. index: dense and
// stable for the life of the process as long as the name exists, so that worker-owned state is
// found by one array read.
struct Cluster {
  model::Cluster settings;
  transport::UpstreamPolicyPtr tls;  // null: plain text
  std::uint32_t index = 0;
  std::vector<Endpoint> endpoints;                   // sorted by id; empty: 503
  std::shared_ptr<shared::ClusterState> state = {};  // likewise
  std::shared_ptr<const Places> places = {};         // for policies that hash; null: none
  std::vector<std::string> names = {};  // for Balance::kNamed: one per endpoint, in their order

  const Endpoint* find(std::string_view id) const {
    const auto at = std::lower_bound(
        endpoints.begin(), endpoints.end(), id,
        [](const Endpoint& one, std::string_view key) { return std::string_view(one.id) < key; });
    return at != endpoints.end() && at->id == id ? &*at : nullptr;
  }
};
using ClusterTable = base::PersistentMap<Cluster>;  // by name

}  // namespace weir::upstream
