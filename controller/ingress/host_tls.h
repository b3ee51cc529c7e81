#pragma once

#include <string>
#include <vector>

#include "controller/ingress/ingress_class.h"

namespace weir::ingress {

// The TLS side of one host.
struct HostTls {
  std::vector<std::string> certificates;  // of model::Host: empty when the host says nothing
  bool redirects = false;                 // some Ingress of the host has a tls section
  IngressPtr provider;                    // whose tls section chose; null when none did
};

// Chooses for `host` among ingresses (oldest first; those that also have a rule for the host stand
// before the others): the oldest with a tls section; there the secrets whose hosts lists name the
// host (the first of each key type), else the first whose certificate covers it, else the default
// certificate. A missing, broken or mismatched Secret gives the default certificate and a report.
// Adds wants and reports to result.
HostTls choose_tls(const Config& config, const std::string& host,
                   const std::vector<IngressPtr>& ingresses, translate::View& view,
                   translate::UnitResult& result);

}  // namespace weir::ingress
