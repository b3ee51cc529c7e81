#pragma once

#include "controller/admin/options.h"

namespace weir::admin {

// The flags of TCP, UDP and passed-through TLS, and of whom we believe about who a client is.
void add_stream_flags(base::Flags& flags, Options& options);

// Checks their values and puts them into config, whose binds are set.
//   errors: kInvalid naming the flag, its value and the accepted form.
base::Result<void> set_streams(const Options& options, ingress::Config& config);

}  // namespace weir::admin
