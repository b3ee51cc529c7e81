// The floor of the TLS rows: a relay that ends TLS and knows no HTTP. Upstream connections are
// kept: a client takes one with its first byte and gives it back when it closes.
//
//   weir-bench-null-tls LISTEN_PORT UPSTREAM_PORT CERT KEY

#include "bench/null_tls.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <memory>

#include "bench/null_net.h"

namespace {

struct Upstream;

struct End {
  virtual ~End() = default;
  int fd = -1;
};
struct Client final : End {
  explicit Client(SSL_CTX* context) : tls(context) {}
  bench::TlsPipe tls;
  Upstream* upstream = nullptr;
  bool blocked = false;
};
struct Upstream final : End {
  Client* client = nullptr;
  bool asked = false;  // an answer is due
};

class NullTls {
 public:
  NullTls(int listen_port, int upstream_port, SSL_CTX* context)
      : upstream_port_(upstream_port), context_(context), epoll_(::epoll_create1(0)) {
    listener_.fd = bench::listen_on(listen_port);
    bench::watch(epoll_, listener_.fd, &listener_, EPOLLIN, EPOLL_CTL_ADD);
  }

  void run() {
    std::array<epoll_event, 256> events;
    for (;;) {
      const int ready = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < ready; ++i) {
        handle(static_cast<End*>(events[static_cast<std::size_t>(i)].data.ptr),
               events[static_cast<std::size_t>(i)].events);
      }
      dead_.clear();
    }
  }

 private:
  struct Door final : End {};

  void handle(End* end, unsigned events) {
    if (end == &listener_) return accept_some();
    if (end->fd < 0) return;
    if (auto* client = dynamic_cast<Client*>(end)) {
      if ((events & EPOLLOUT) != 0) flush(*client);
      if ((events & ~static_cast<unsigned>(EPOLLOUT)) != 0 && client->fd >= 0) from_client(*client);
    } else {
      from_upstream(*static_cast<Upstream*>(end));
    }
  }

  void accept_some() {
    for (int i = 0; i < 16; ++i) {
      const int fd = ::accept4(listener_.fd, nullptr, nullptr, SOCK_NONBLOCK);
      if (fd < 0) return;
      auto* client = new Client(context_);
      client->fd = fd;
      bench::watch(epoll_, fd, static_cast<End*>(client), EPOLLIN, EPOLL_CTL_ADD);
    }
  }

  void from_client(Client& client) {
    const ssize_t got = ::recv(client.fd, wire_.data(), wire_.size(), 0);
    if (got < 0 && errno == EAGAIN) return;
    plain_.clear();
    if (got <= 0 || !client.tls.feed(wire_.data(), static_cast<std::size_t>(got), plain_)) {
      return close(client);
    }
    flush(client);
    if (plain_.empty() || client.fd < 0) return;
    if (client.upstream == nullptr) take_upstream(client);
    client.upstream->asked = true;
    if (::send(client.upstream->fd, plain_.data(), plain_.size(), MSG_NOSIGNAL) < 0) close(client);
  }

  void take_upstream(Client& client) {
    if (idle_.empty()) {
      auto* made = new Upstream;
      made->fd = bench::connect_to(upstream_port_);
      bench::watch(epoll_, made->fd, static_cast<End*>(made), EPOLLIN, EPOLL_CTL_ADD);
      idle_.push_back(made);
    }
    client.upstream = idle_.back();
    idle_.pop_back();
    client.upstream->client = &client;
  }

  void from_upstream(Upstream& upstream) {
    const ssize_t got = ::recv(upstream.fd, wire_.data(), wire_.size(), 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0 || upstream.client == nullptr) return forget(upstream);
    upstream.asked = false;
    Client& client = *upstream.client;
    client.tls.write(wire_.data(), static_cast<std::size_t>(got));
    flush(client);
  }

  // The rest of an answer that nobody waits for, or the end.
  void forget(Upstream& upstream) {
    if (upstream.client != nullptr) upstream.client->upstream = nullptr;
    std::erase(idle_, &upstream);
    ::close(upstream.fd);
    upstream.fd = -1;
    dead_.emplace_back(&upstream);
    if (upstream.client != nullptr) close(*upstream.client);
  }

  void flush(Client& client) {
    const std::string_view out = client.tls.out();
    if (!out.empty()) {
      const ssize_t sent = ::send(client.fd, out.data(), out.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN) return close(client);
      if (sent > 0) client.tls.sent(static_cast<std::size_t>(sent));
    }
    const bool blocked = !client.tls.out().empty();
    if (blocked == client.blocked) return;
    client.blocked = blocked;
    bench::watch(epoll_, client.fd, static_cast<End*>(&client),
                 EPOLLIN | (blocked ? static_cast<unsigned>(EPOLLOUT) : 0U), EPOLL_CTL_MOD);
    if (client.upstream != nullptr) {
      bench::watch(epoll_, client.upstream->fd, static_cast<End*>(client.upstream),
                   blocked ? 0U : static_cast<unsigned>(EPOLLIN), EPOLL_CTL_MOD);
    }
  }

  void close(Client& client) {
    ::close(client.fd);
    client.fd = -1;
    if (client.upstream != nullptr) {
      client.upstream->client = nullptr;
      if (client.upstream->asked || client.blocked) {
        forget(*client.upstream);
      } else {
        idle_.push_back(client.upstream);
      }
    }
    dead_.emplace_back(&client);
  }

  const int upstream_port_;
  SSL_CTX* const context_;
  const int epoll_;
  Door listener_;
  std::vector<Upstream*> idle_;
  std::vector<std::unique_ptr<End>> dead_;
  std::vector<char> wire_ = std::vector<char>(256 * 1024);
  std::vector<char> plain_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: weir-bench-null-tls LISTEN_PORT UPSTREAM_PORT CERT KEY\n");
    return 2;
  }
  NullTls(std::atoi(argv[1]), std::atoi(argv[2]), bench::make_context(argv[3], argv[4])).run();
}
