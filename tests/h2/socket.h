#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir::h2 {

// A client's plain connection to 127.0.0.1 that sends and reads at the same time, so that neither
// side can block the other. One thread.
class Socket {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Socket(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    over_ = connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0;
    fcntl(fd_, F_SETFL, O_NONBLOCK);
  }
  ~Socket() { close(fd_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  // False when the peer ended the connection or took nothing for 20 s.
  bool send(std::string_view bytes) {
    while (!bytes.empty() && !over_) {
      const ssize_t size = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (size > 0) {
        sent += static_cast<std::size_t>(size);
        bytes.remove_prefix(static_cast<std::size_t>(size));
      } else if (errno != EAGAIN) {
        over_ = true;
      } else if (!wait(POLLIN | POLLOUT, std::chrono::seconds(20))) {
        return false;
      }
      read_now();
    }
    return !over_;
  }
  // Reads for so long, or until the end.
  void read_for(std::chrono::milliseconds time) {
    const auto until = Clock::now() + time;
    while (!over_ && Clock::now() < until) {
      wait(POLLIN, std::chrono::milliseconds(10));
      read_now();
    }
  }
  // Reads until the peer ends the connection. False when it does not in time.
  bool ends(std::chrono::milliseconds most = std::chrono::seconds(20)) {
    read_for(most);
    return over_;
  }
  bool over() const { return over_; }
  std::string in;  // what came; a test that reads much clears it
  std::size_t sent = 0;

 private:
  bool wait(short events, std::chrono::milliseconds most) {
    pollfd p{fd_, events, 0};
    return poll(&p, 1, static_cast<int>(most.count())) > 0;
  }
  void read_now() {
    char buffer[65'536];
    for (;;) {
      const ssize_t size = recv(fd_, buffer, sizeof buffer, 0);
      if (size > 0) {
        in.append(buffer, static_cast<std::size_t>(size));
        continue;
      }
      over_ = over_ || size == 0 || (errno != EAGAIN && errno != EINTR);
      return;
    }
  }

  int fd_;
  bool over_ = false;
};

}  // namespace weir::h2
