#pragma once

#include <string>
#include <vector>

#include "controller/ingress/ingress_class.h"

namespace weir::ingress {

// A host whose TLS is passed on to its backend as it is.
struct HostPassthrough {
  model::StreamRule rule;  // without backends: the host is terminated here
  IngressPtr owner;        // whose "/" it is, else who asked for it; null: nobody did
  std::string field;       // where the backend stands in the owner
  bool on() const { return owner != nullptr; }
};

// Any of the Ingresses that serve the host (oldest first) may ask for it with ssl-passthrough; the
// backend is the one of the path "/" of the oldest that has one. Without such a path, or with a
// backend that is not a Service, clients are turned away and the owner is told: a host that was to
// end TLS itself is not quietly ended here. Adds wants and reports to result.
HostPassthrough choose_passthrough(const Config& config, const std::string& host,
                                   const std::vector<IngressPtr>& serving, translate::View& view,
                                   translate::UnitResult& result);

}  // namespace weir::ingress
