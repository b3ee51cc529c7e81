#pragma once

#include <string>

#include "common/model/route.h"
#include "controller/ingress/config.h"
#include "controller/store/object.h"
#include "controller/translate/unit.h"
#include "controller/translate/view.h"

namespace weir::ingress {

// Points routes of one Ingress at the clusters of its backends and wants those clusters. A Service
// is looked at only to tell the owner what is wrong with it: the route stays, and its requests
// answer 503 until the Service is there.
struct BackendTarget {
  const store::Ingress& ingress;
  translate::View& view;
  translate::UnitResult& result;   // takes wants and reports
  const model::Cluster& settings;  // of the backend's cluster

  // field: where the backend stands in the Ingress.
  void point(const store::IngressBackend& backend, const std::string& field,
             model::Route& route) const;
};

// The same for --default-backend-service: its first port. False when the flag is not set.
// settings: of its cluster.
bool point_at_default_backend(const Config& config, const model::Cluster& settings,
                              translate::View& view, translate::UnitResult& result,
                              model::Route& route);

}  // namespace weir::ingress
