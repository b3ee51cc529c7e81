#include "dataplane/transport/dial.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>

namespace weir::transport {

Dialed dial(const base::SocketAddress& to) {
  Dialed out{base::UniqueFd(socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0))};
  if (!out.fd.valid()) out.error = errno;
  if (!out.fd.valid()) return out;
  const int on = 1;
  setsockopt(out.fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(out.fd.get(), to.data(), to.size()) == 0) return out;
  out.error = errno;
  if (out.error != EINPROGRESS) out.fd.reset();
  return out;
}

int dial_error(int fd, std::uint32_t events) {
  if ((events & (EPOLLERR | EPOLLHUP)) == 0) return 0;
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  return error;
}

}  // namespace weir::transport
