// The benchmark's origin: answers every HTTP/1.1 request with a body whose size is the last number
// of its path ("/128", "/65536"; else 128). One thread, epoll, no parsing beyond the end of the
// head: it must never be the part that is measured. GET only.
//
//   weir-bench-origin PORT

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::size_t kDefaultBody = 128;
constexpr std::size_t kLargestBody = 16 * 1024 * 1024;

struct Client {
  std::string in;
  std::string out;
  std::size_t sent = 0;
};

const std::string& answer(std::size_t body) {
  static std::map<std::size_t, std::string> made;
  std::string& text = made[body];
  if (text.empty()) {
    text =
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(body) +
        "\r\n\r\n";
    text.append(body, 'x');
  }
  return text;
}

std::size_t body_size(std::string_view head) {
  const std::size_t start = head.find('/');
  const std::size_t end = head.find(' ', start);
  const std::size_t digits = head.substr(0, end).find_last_of('/') + 1;
  const unsigned long value =
      std::strtoul(std::string(head.substr(digits, end - digits)).c_str(), nullptr, 10);
  return value == 0 || value > kLargestBody ? kDefaultBody : value;
}

int listen_on(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(fd, 4096) != 0) {
    std::perror("listen");
    std::exit(1);
  }
  return fd;
}

class Origin {
 public:
  explicit Origin(int port) : listener_(listen_on(port)), epoll_(::epoll_create1(0)) {
    watch(listener_, EPOLLIN, EPOLL_CTL_ADD);
  }

  void run() {
    std::array<epoll_event, 256> events;
    for (;;) {
      const int ready = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < ready; ++i) {
        const int fd = events[static_cast<std::size_t>(i)].data.fd;
        if (fd == listener_) {
          accept_all();
        } else if (!serve(fd)) {
          ::close(fd);
          clients_.erase(fd);
        }
      }
    }
  }

 private:
  void watch(int fd, unsigned events, int operation) const {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    ::epoll_ctl(epoll_, operation, fd, &event);
  }

  void accept_all() {
    for (;;) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK);
      if (fd < 0) return;
      clients_[fd];
      watch(fd, EPOLLIN, EPOLL_CTL_ADD);
    }
  }

  // False when the connection is over.
  bool serve(int fd) {
    Client& client = clients_[fd];
    std::array<char, 16384> buffer;
    const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (got == 0 || (got < 0 && errno != EAGAIN)) return false;
    if (got > 0) client.in.append(buffer.data(), static_cast<std::size_t>(got));
    bool last = false;
    for (std::size_t end; (end = client.in.find("\r\n\r\n")) != std::string::npos;) {
      client.out += answer(body_size(client.in));
      last = client.in.find("Connection: close") < end || client.in.find("connection: close") < end;
      client.in.erase(0, end + 4);
    }
    return write(fd, client) && !(last && client.out.empty());
  }

  bool write(int fd, Client& client) const {
    while (client.sent < client.out.size()) {
      const ssize_t wrote = ::send(fd, client.out.data() + client.sent,
                                   client.out.size() - client.sent, MSG_NOSIGNAL);
      if (wrote < 0 && errno == EAGAIN) {
        watch(fd, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
        return true;
      }
      if (wrote < 0) return false;
      client.sent += static_cast<std::size_t>(wrote);
    }
    if (!client.out.empty()) {
      client.out.clear();
      client.sent = 0;
      watch(fd, EPOLLIN, EPOLL_CTL_MOD);
    }
    return true;
  }

  const int listener_;
  const int epoll_;
  std::map<int, Client> clients_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: weir-bench-origin PORT\n");
    return 2;
  }
  Origin(std::atoi(argv[1])).run();
}
