#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/fd.h"
#include "common/base/result.h"
#include "common/model/listener.h"

namespace weir::supervisor {

// The line between the supervisor (pid 1: owns sockets, restarts the worker process) and the worker
// process: a Unix SEQPACKET pair, one JSON message a packet, descriptors by SCM_RIGHTS. The worker
// asks, the supervisor answers; both ends are blocking and used by one thread each.

// Worker process's end.
class Channel {
 public:
  // fd: inherited, number in the environment variable WEIR_SUPERVISOR_FD.
  explicit Channel(base::UniqueFd fd) : fd_(std::move(fd)) {}

  // One listening socket per worker thread for this bind (SO_REUSEPORT), made now or kept from the
  // process before.
  //   errors: kSystem naming the bind ("listen 0.0.0.0:80: Address already in use").
  base::Result<std::vector<base::UniqueFd>> listen(const model::Bind& bind, std::uint32_t sockets);
  // The supervisor closes its duplicates; connections already in the backlog belong to the worker
  // that still holds the socket.
  base::Result<void> unlisten(const model::Bind& bind);
  // The listening Unix socket that the controller dials.
  base::Result<base::UniqueFd> control_socket();
  // Feeds the watchdog; a worker process that stays silent for 4 s, while nothing held it up, is
  // killed with SIGABRT and restarted.
  void alive();

 private:
  base::UniqueFd fd_;
};

}  // namespace weir::supervisor
