#pragma once

#include <string>
#include <vector>

#include "controller/store/store.h"

namespace weir::status {

// What stands in status.loadBalancer.ingress of the Ingresses we serve. publish_service:
// "namespace/name", or empty; addresses: given by flag, IPs and host names.
struct AddressSource {
  std::string publish_service;
  std::vector<std::string> addresses;
  bool none() const { return publish_service.empty() && addresses.empty(); }
};

// The addresses now, sorted and without doubles. Of a LoadBalancer Service: its status and its
// external IPs; NodePort: external IPs, else the cluster IP; ClusterIP: the cluster IP;
// ExternalName: the name. Empty while the Service is missing or has none yet.
std::vector<store::LoadBalancerAddress> addresses_now(const AddressSource& source,
                                                      const store::Store& store);

}  // namespace weir::status
