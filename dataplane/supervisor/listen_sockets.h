#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "common/base/fd.h"
#include "common/base/result.h"
#include "common/model/listener.h"

namespace weir::supervisor {

// The listening sockets of the process (bound ones of UDP), kept over restarts of the worker
// process: the backlog waits and nobody is refused. One thread.
class ListenSockets {
 public:
  // The sockets of this bind, borrowed; made now or kept. They share the port by SO_REUSEPORT.
  // count: 1..253. Port 0: the kernel chooses one, kept under port 0.
  //   errors: kInvalid for an address or count that cannot be; kSystem naming the bind
  //   ("listen 0.0.0.0:80: Address already in use"), also when another process shares its port.
  base::Result<std::vector<int>> open(const model::Bind& bind, std::size_t count);
  void close(const model::Bind& bind) { sockets_.erase(key(bind)); }
  std::size_t binds() const { return sockets_.size(); }

 private:
  using Key = std::tuple<std::string, std::uint16_t, bool>;
  static Key key(const model::Bind& bind) { return {bind.address, bind.port, bind.udp}; }
  std::map<Key, std::vector<base::UniqueFd>> sockets_;
};

// A listening Unix stream socket, mode 0600. A stale file of a process that is gone is replaced.
//   errors: kSystem naming the path; also when another process still listens there.
base::Result<base::UniqueFd> listen_unix(const std::string& path);

}  // namespace weir::supervisor
