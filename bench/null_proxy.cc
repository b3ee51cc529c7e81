// The floor of the benchmark: a relay that knows no HTTP. Each client connection is tied to one
// upstream connection; bytes are received into a 256 KiB buffer and sent on: recv, send, recv,
// send, nothing else. What a proxy costs above it is its own work.
//
//   weir-bench-null LISTEN_PORT UPSTREAM_PORT

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
#include <memory>
#include <string>
#include <vector>

namespace {

constexpr std::size_t kBuffer = 256 * 1024;

struct End {
  int fd = -1;
  End* peer = nullptr;
  std::string unsent;  // bytes that this fd did not take yet
};

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

class NullProxy {
 public:
  NullProxy(int listen_port, int upstream_port)
      : upstream_(loopback(upstream_port)), epoll_(::epoll_create1(0)) {
    listener_.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    const int on = 1;
    ::setsockopt(listener_.fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    ::setsockopt(listener_.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const sockaddr_in address = loopback(listen_port);
    if (::bind(listener_.fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_.fd, 4096) != 0) {
      std::perror("listen");
      std::exit(1);
    }
    watch(listener_, EPOLLIN, EPOLL_CTL_ADD);
  }

  void run() {
    std::array<epoll_event, 256> events;
    for (;;) {
      const int ready = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < ready; ++i) handle(events[static_cast<std::size_t>(i)]);
      for (End* end : dead_) delete end;
      dead_.clear();
    }
  }

 private:
  void watch(End& end, unsigned events, int operation) const {
    epoll_event event{};
    event.events = events;
    event.data.ptr = &end;
    ::epoll_ctl(epoll_, operation, end.fd, &event);
  }

  void handle(const epoll_event& event) {
    End& end = *static_cast<End*>(event.data.ptr);
    if (&end == &listener_) {
      accept_some();
      return;
    }
    if (end.fd < 0) return;  // closed earlier in this batch
    if ((event.events & EPOLLOUT) != 0) flush(end);
    if ((event.events & ~static_cast<unsigned>(EPOLLOUT)) != 0 && end.fd >= 0) relay(end);
  }

  void accept_some() {
    for (int i = 0; i < 16; ++i) {
      const int fd = ::accept4(listener_.fd, nullptr, nullptr, SOCK_NONBLOCK);
      if (fd < 0) return;
      auto* client = new End{fd, nullptr, {}};
      auto* server = new End{::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), client, {}};
      client->peer = server;
      const int on = 1;
      ::setsockopt(server->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      ::connect(server->fd, reinterpret_cast<const sockaddr*>(&upstream_), sizeof upstream_);
      watch(*client, EPOLLIN, EPOLL_CTL_ADD);
      watch(*server, EPOLLIN, EPOLL_CTL_ADD);
    }
  }

  void relay(End& from) {
    const ssize_t got = ::recv(from.fd, buffer_.data(), buffer_.size(), 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
      close_pair(from);
      return;
    }
    End& to = *from.peer;
    ssize_t sent = to.unsent.empty()
                       ? ::send(to.fd, buffer_.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL)
                       : 0;
    if (sent < 0 && errno == EAGAIN) sent = 0;
    if (sent < 0) {
      close_pair(from);
      return;
    }
    if (sent < got) {
      to.unsent.append(buffer_.data() + sent, static_cast<std::size_t>(got - sent));
      watch(to, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
      watch(from, 0, EPOLL_CTL_MOD);
    }
  }

  void flush(End& to) {
    const ssize_t sent = ::send(to.fd, to.unsent.data(), to.unsent.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) {
      close_pair(to);
      return;
    }
    if (sent > 0) to.unsent.erase(0, static_cast<std::size_t>(sent));
    if (!to.unsent.empty()) return;
    watch(to, EPOLLIN, EPOLL_CTL_MOD);
    watch(*to.peer, EPOLLIN, EPOLL_CTL_MOD);
  }

  void close_pair(End& end) {
    for (End* one : {&end, end.peer}) {
      ::close(one->fd);
      one->fd = -1;
      dead_.push_back(one);
    }
  }

  const sockaddr_in upstream_;
  const int epoll_;
  End listener_;
  std::vector<End*> dead_;
  std::vector<char> buffer_ = std::vector<char>(kBuffer);
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: weir-bench-null LISTEN_PORT UPSTREAM_PORT\n");
    return 2;
  }
  NullProxy(std::atoi(argv[1]), std::atoi(argv[2])).run();
}
