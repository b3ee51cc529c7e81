#pragma once

#include <string>

#include "controller/kubernetes/source.h"
#include "controller/peers/peers.h"
#include "controller/publish/pipeline.h"
#include "controller/publish/session.h"
#include "controller/status/status.h"

namespace weir::admin {

// What metrics are made of. status: null without a cluster. All borrowed for the call.
struct Measured {
  const publish::Pipeline& pipeline;
  const publish::Session& session;
  const status::Status* status;
  const kubernetes::Source& source;
  const peers::Peers& peers;
};

// The controller's metrics in the Prometheus text format: sync, dataplane session, leader, other
// replicas, reports by reason, objects by kind, and the expiry of every certificate. Names are
// ingress-nginx's where it has them, else weir_controller_*. Loop thread.
std::string render_metrics(const Measured& measured);

}  // namespace weir::admin
