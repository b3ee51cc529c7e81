#include "dataplane/supervisor/worker_process.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "common/process/spawn.h"
#include "dataplane/supervisor/capabilities.h"

namespace weir::supervisor {

base::Result<WorkerProcess> spawn_worker(const std::vector<std::string>& command) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return base::system_error("worker process: socketpair", errno);
  }
  WorkerProcess out;
  out.channel = base::UniqueFd(ends[0]);
  const base::UniqueFd theirs(ends[1]);
  auto spawned = process::spawn({command, theirs.get(), "WEIR_SUPERVISOR_FD", &drop_capabilities});
  if (!spawned.ok()) return std::move(spawned).error();
  out.pid = spawned.value();
  return out;
}

}  // namespace weir::supervisor
