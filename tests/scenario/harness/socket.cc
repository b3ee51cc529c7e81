#include "tests/scenario/harness/socket.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <thread>

namespace weir::scenario {
namespace {

sockaddr_in socket_address(const std::string& text, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  ::inet_pton(AF_INET, text.c_str(), &address.sin_addr);
  return address;
}

void switch_on(int fd, int level, int name) {
  const int on = 1;
  ::setsockopt(fd, level, name, &on, sizeof on);
}

}  // namespace

int Deadline::millis_left() const {
  const auto left = std::chrono::ceil<Millis>(at_ - Clock::now()).count();
  return static_cast<int>(std::clamp<long>(left, 0, 3'600'000));
}

bool wait_for(int fd, short events, const Deadline& deadline) {
  for (;;) {
    pollfd one{fd, events, 0};
    const int left = deadline.millis_left();
    const int got = ::poll(&one, 1, left);
    if (got > 0) return true;
    if (got == 0 && left == 0) return false;
    if (got < 0 && errno != EINTR) return false;
  }
}

base::UniqueFd listen_on_loopback(std::uint16_t port, int backlog) {
  return listen_on("127.0.0.1", port, backlog);
}

base::UniqueFd listen_on(const std::string& ip, std::uint16_t port, int backlog) {
  base::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  switch_on(fd.get(), SOL_SOCKET, SO_REUSEADDR);
  const sockaddr_in address = socket_address(ip, port);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(fd.get(), backlog) != 0) {
    return base::UniqueFd();
  }
  return fd;
}

std::uint16_t port_of(int fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

base::UniqueFd connect_to(std::uint16_t port, const Deadline& deadline, int receive_buffer,
                          const std::string& ip) {
  base::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  switch_on(fd.get(), IPPROTO_TCP, TCP_NODELAY);
  if (receive_buffer > 0) {
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  }
  const sockaddr_in address = socket_address(ip, port);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    return fd;
  }
  if (errno != EINPROGRESS) return base::UniqueFd();
  int error = ETIMEDOUT;
  socklen_t size = sizeof error;
  if (wait_for(fd.get(), POLLOUT, deadline)) {
    ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  }
  if (error == 0) return fd;
  errno = error;
  return base::UniqueFd();
}

std::uint16_t free_ports(int count) {
  static std::atomic<unsigned> next{static_cast<unsigned>(::getpid()) * 37};
  for (int tries = 0; tries < 1'000; ++tries) {
    const auto first = static_cast<std::uint16_t>(20'000 + (next += 7) % 12'000);
    int free = 0;
    // On every address: another test's backend may have the port on one beside 127.0.0.1, and then
    // nobody can listen on all of them.
    while (free < count && listen_on("0.0.0.0", static_cast<std::uint16_t>(first + free)).valid()) {
      ++free;
    }
    if (free == count) return first;
  }
  return 0;
}

void reset_on_close(int fd) {
  const linger now{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

void nap(Millis time) { std::this_thread::sleep_for(time); }

}  // namespace weir::scenario
