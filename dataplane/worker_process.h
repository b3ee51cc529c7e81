#pragma once

#include "dataplane/options.h"

namespace weir {

// The worker process: wires everything, serves until SIGTERM, then fails readiness, goes on
// accepting for the shutdown delay, drains, and returns the exit code. The supervisor's channel is
// inherited (supervisor/channel.h).
int run_worker_process(const Options& options);

}  // namespace weir
