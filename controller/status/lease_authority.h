#pragma once

#include <memory>
#include <string>

#include "controller/kubernetes/api_client.h"
#include "controller/kubernetes/lease.h"
#include "controller/status/cluster_status.h"

namespace weir::status {

// Which Lease, and who we are in it.
struct LeaseName {
  std::string ns;
  std::string name;
  std::string identity;  // unique per replica
};

// The authority of a real cluster: the holder of the Lease writes. client: borrowed.
std::unique_ptr<Authority> make_lease_authority(kubernetes::ApiClient& client, LeaseName lease,
                                                kubernetes::LeaseTimings timings = {});

}  // namespace weir::status
