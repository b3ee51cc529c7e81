#pragma once

#include <string>

#include "controller/publish/pipeline.h"
#include "controller/publish/session.h"
#include "controller/status/status.h"

namespace weir::admin {

// The controller's metrics in the Prometheus text format: sync, dataplane session, leader, reports
// by reason, objects by kind, and the expiry of every certificate. Names are ingress-nginx's where
// it has them, else weir_controller_*. status: null without a cluster. Loop thread.
std::string render_metrics(const publish::Pipeline& pipeline, const publish::Session& session,
                           const status::Status* status, const kubernetes::Source& source);

}  // namespace weir::admin
