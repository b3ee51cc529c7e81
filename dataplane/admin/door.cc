#include "dataplane/admin/door.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/base/ip.h"
#include "dataplane/transport/factory.h"

namespace weir::admin {
namespace {

constexpr int kBacklog = 128;
constexpr int kAcceptsPerTurn = 16;

base::Result<sockaddr_un> unix_address(const std::string& path) {
  sockaddr_un out{};
  out.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof out.sun_path) {
    return base::invalid("socket path '" + path + "' must have 1 to " +
                         std::to_string(sizeof out.sun_path - 1) + " bytes");
  }
  std::memcpy(out.sun_path, path.data(), path.size());
  return out;
}

bool somebody_answers(const sockaddr_un& address) {
  const base::UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace

Door::Door(worker::Worker& worker, Pages& pages, base::UniqueFd socket)
    : home_{worker, pages, {}, {8'192, 64, 2'048}, {}}, socket_(std::move(socket)) {
  token_ = worker.loop().add(socket_.get(), *this, EPOLLIN);
}

Door::~Door() {
  home_.worker.loop().remove(token_);
  while (!home_.open.empty()) home_.open.front()->close();
  // What was buried ends with the turn of the loop, while heads and pages are still there.
  home_.worker.loop().run_once(base::Duration::zero());
}

void Door::on_io(std::uint32_t) {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    base::UniqueFd peer(::accept4(socket_.get(), reinterpret_cast<sockaddr*>(&from), &size,
                                  SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!peer.valid()) return;
    if (home_.open.size() >= kMost) home_.open.front()->close();
    const base::SocketAddress address(reinterpret_cast<const sockaddr*>(&from));
    Connection::start(home_, transport::accept_tcp(home_.worker, std::move(peer), address));
  }
}

base::Result<base::UniqueFd> listen_tcp(const std::string& address, std::uint16_t port) {
  const auto parsed = base::SocketAddress::parse(address, port);
  if (!parsed.ok()) return base::Error(parsed.error()).within("admin address");
  const base::SocketAddress& to = parsed.value();
  base::UniqueFd fd(::socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (!fd.valid() || ::bind(fd.get(), to.data(), to.size()) != 0 ||
      ::listen(fd.get(), kBacklog) != 0) {
    return base::system_error("admin listen " + to.to_string(), errno);
  }
  return fd;
}

base::Result<base::UniqueFd> listen_unix(const std::string& path) {
  auto address = unix_address(path);
  if (!address.ok()) return std::move(address).error();
  if (somebody_answers(address.value())) {
    return base::system_error("listen " + path, EADDRINUSE);
  }
  ::unlink(path.c_str());
  base::UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  // Before bind, so that the file is never open to others.
  const bool narrowed = fd.valid() && ::fchmod(fd.get(), 0600) == 0;
  const auto* const raw = reinterpret_cast<const sockaddr*>(&address.value());
  if (!narrowed || ::bind(fd.get(), raw, sizeof(sockaddr_un)) != 0 ||
      ::chmod(path.c_str(), 0600) != 0 || ::listen(fd.get(), kBacklog) != 0) {
    return base::system_error("listen " + path, errno);
  }
  return fd;
}

}  // namespace weir::admin
