#include <cstdio>
#include <string>
#include <vector>

#include "common/base/log.h"
#include "dataplane/limits.h"
#include "dataplane/options.h"
#include "dataplane/supervisor/supervisor.h"
#include "dataplane/worker_process.h"

// weir-dataplane: the supervisor, or with --worker the worker process that it starts.
int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const auto options = weir::parse_options(arguments);
  if (!options.ok()) {
    std::fprintf(stderr, "weir-dataplane: %s\n", options.error().text.c_str());
    return 2;
  }
  if (options.value().help) return 0;
  weir::base::log_start("dataplane", options.value().log_level);
  if (options.value().worker) return weir::run_worker_process(options.value());
  weir::raise_file_limit();
  weir::supervisor::SupervisorOptions supervisor;
  supervisor.control_socket = options.value().control_socket;
  supervisor.worker_command = {"/proc/self/exe", "--worker"};
  supervisor.worker_command.insert(supervisor.worker_command.end(), arguments.begin(),
                                   arguments.end());
  return weir::supervisor::run_supervisor(supervisor);
}
