#pragma once

namespace weir::supervisor {

// Ports below 1024 in the node's network need CAP_NET_BIND_SERVICE. A container gives it to another
// user than root only through the program's file (capabilities(7)), permitted there and not
// effective, so that the program also starts where the container takes every capability away.

// Makes the capability effective where the process was permitted it; elsewhere nothing changes.
// Only the calling thread: before others are started.
void use_bind_capability();

// For what parses strangers' bytes: no capability, and none to be had by an exec. Nothing changes
// for root. Safe between fork and exec.
void drop_capabilities();

}  // namespace weir::supervisor
