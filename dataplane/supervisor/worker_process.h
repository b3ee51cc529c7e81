#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "common/base/fd.h"
#include "common/base/result.h"

namespace weir::supervisor {

// A running worker process and this side of its channel.
struct WorkerProcess {
  pid_t pid = -1;
  base::UniqueFd channel;
};

// Forks and executes the command with WEIR_SUPERVISOR_FD set; the child gets SIGTERM when this
// process dies. command: not empty; [0] is the program's path.
//   errors: kSystem naming the step. A program that cannot be executed ends with status 127.
base::Result<WorkerProcess> spawn_worker(const std::vector<std::string>& command);

}  // namespace weir::supervisor
