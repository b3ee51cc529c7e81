#pragma once

#include <string>
#include <string_view>

#include "common/model/cluster.h"

namespace weir::ingress {

// Clusters are keyed by Service and settings, never by route: routes that want the same settings
// share one. A cluster with the default settings is called "namespace/service/port", any other
// "namespace/service/port#" and a hash of its settings. Its unit carries the settings themselves
// in its name, so that it can be built from nothing else.

// service_port: "namespace/service/port". settings: name, namespace, service and port are ignored.
std::string cluster_unit_name(const std::string& service_port, const model::Cluster& settings);

// The cluster that a unit of that name builds, all fields set.
model::Cluster cluster_of_unit(std::string_view unit_name);

}  // namespace weir::ingress
