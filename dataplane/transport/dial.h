#pragma once

#include <cstdint>

#include "common/base/fd.h"
#include "common/base/ip.h"

namespace weir::transport {

// A TCP connection that was begun. error: 0: it is open already (loopback); EINPROGRESS: EPOLLOUT
// will tell; another errno: the kernel refused at once, and there is no fd.
struct Dialed {
  base::UniqueFd fd;
  int error = 0;
};
Dialed dial(const base::SocketAddress& to);

// What these events say of a connection that was in progress: 0: nothing bad, else errno.
int dial_error(int fd, std::uint32_t events);

}  // namespace weir::transport
