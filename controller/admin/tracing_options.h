#pragma once

#include <string>

#include "common/base/flags.h"
#include "common/base/result.h"
#include "controller/ingress/config.h"

namespace weir::admin {

// What is told of single requests: spans for a collector, and the decisions for whoever signs.
// Names are ingress-nginx's options where it has them.
struct TracingOptions {
  std::string collector_url;
  std::string sampler_ratio = "0.01";
  std::string service_name = "weir";
  bool trust_incoming_span = true;
  std::string debug_key_secret;
};

void add_tracing_flags(base::Flags& flags, TracingOptions& options);

//   errors: kInvalid naming the flag, its value and the accepted form.
base::Result<void> apply(const TracingOptions& options, ingress::Config& config);

}  // namespace weir::admin
