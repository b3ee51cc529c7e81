#include "dataplane/supervisor/listen_sockets.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "common/base/ip.h"
#include "dataplane/supervisor/packet.h"

namespace weir::supervisor {
namespace {

base::Error refused(const std::string& what, int errno_value) {
  base::Error error = base::system_error("listen " + what, errno_value);
  error.kind = base::ErrorKind::kSystem;
  error.origin = base::Origin::kConfig;
  return error;
}

// A bound socket; invalid with errno set when the kernel refuses.
base::UniqueFd bound(const base::SocketAddress& address, bool udp, bool shares_port) {
  const int type = udp ? SOCK_DGRAM : SOCK_STREAM;
  base::UniqueFd fd(socket(address.family(), type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return fd;
  const int on = 1;
  // Of two UDP sockets it would let the later take the port from the earlier.
  if (!udp) setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (shares_port) setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  // "::" and "0.0.0.0" are two binds of a dual-stack listener.
  if (address.family() == AF_INET6) {
    setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  }
  // Accepted sockets inherit it: no system call a connection.
  if (!udp) setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (bind(fd.get(), address.data(), address.size()) != 0) {
    const int error = errno;
    fd.reset();
    errno = error;
  }
  return fd;
}

base::SocketAddress name_of(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  return getsockname(fd, address, &size) == 0 ? base::SocketAddress(address)
                                              : base::SocketAddress();
}

}  // namespace

base::Result<std::vector<int>> ListenSockets::open(const model::Bind& bind, std::size_t count) {
  auto parsed = base::SocketAddress::parse(bind.address, bind.port);
  if (!parsed.ok()) return std::move(parsed).error().within("listen");
  base::SocketAddress address = parsed.value();
  const std::string name = address.to_string() + (bind.udp ? "/udp" : "");
  if (count == 0 || count > kMostFds) {
    return base::invalid("listen " + name + ": " + std::to_string(count) +
                         " sockets asked for; accepted: 1 to " + std::to_string(kMostFds));
  }
  const auto kept = sockets_.find(key(bind));
  std::vector<base::UniqueFd> sockets;
  if (kept != sockets_.end()) {
    address = name_of(kept->second.front().get());
  } else if (!bound(address, bind.udp, false).valid()) {
    // SO_REUSEPORT would share the port with another process of this user without a word.
    return refused(name, errno);
  }
  while (sockets.size() + (kept == sockets_.end() ? 0 : kept->second.size()) < count) {
    base::UniqueFd fd = bound(address, bind.udp, true);
    if (!fd.valid()) return refused(name, errno);
    if (!bind.udp && ::listen(fd.get(), SOMAXCONN) != 0) return refused(name, errno);
    if (address.port() == 0) address = name_of(fd.get());
    sockets.push_back(std::move(fd));
  }
  std::vector<base::UniqueFd>& all = sockets_[key(bind)];
  for (base::UniqueFd& fd : sockets) all.push_back(std::move(fd));
  all.resize(count);
  std::vector<int> out;
  for (const base::UniqueFd& fd : all) out.push_back(fd.get());
  return out;
}

base::Result<base::UniqueFd> listen_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return base::invalid("listen '" + path + "': a socket path has 1 to 107 bytes");
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const auto* raw = reinterpret_cast<const sockaddr*>(&address);
  {
    const base::UniqueFd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (connect(probe.get(), raw, sizeof address) == 0) return refused(path, EADDRINUSE);
    if (errno == ECONNREFUSED) unlink(path.c_str());
  }
  base::UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return refused(path, errno);
  const mode_t before = umask(0177);
  const int outcome = bind(fd.get(), raw, sizeof address);
  const int error = errno;
  umask(before);
  if (outcome != 0) return refused(path, error);
  if (::listen(fd.get(), 16) != 0) return refused(path, errno);
  return fd;
}

}  // namespace weir::supervisor
