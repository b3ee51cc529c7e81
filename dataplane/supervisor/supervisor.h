#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace weir::supervisor {

struct SupervisorOptions {
  std::vector<std::string> worker_command;           // [0] is the program, usually "/proc/self/exe"
  std::string control_socket;                        // path of the socket that the controller dials
  std::chrono::milliseconds longest_silence{4'000};  // of the worker process, then SIGABRT
};

// Pid 1 of the dataplane: owns the sockets, starts the worker process and starts it again whenever
// it ends, answers its channel, watches that it is alive, reaps orphans. SIGTERM and SIGINT are
// passed on; the run is over when the worker process ends after one of them. To be called in a
// process with one thread. No parser of foreign bytes and no TLS here.
//   returns: the exit code: the worker process's own (128 + signal when one killed it), or 1 when
//   the control socket cannot be opened.
int run_supervisor(const SupervisorOptions& options);

}  // namespace weir::supervisor
