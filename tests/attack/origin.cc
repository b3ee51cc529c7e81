#include "tests/attack/origin.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <vector>

#include "tests/push/backend.h"

namespace weir::attack {

Origin::Origin() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
  ::listen(listener_.get(), 4'096);
  socklen_t size = sizeof address;
  ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

Origin::~Origin() {
  stop_ = true;
  thread_.join();
}

void Origin::run() {
  while (!stop_) {
    std::vector<pollfd> polls{{listener_.get(), POLLIN, 0}};
    for (const Connection& c : connections_) {
      const bool answering = !c.head.empty() || c.body > 0;
      polls.push_back({c.fd.get(), answering ? short{POLLOUT} : short{POLLIN}, 0});
    }
    if (::poll(polls.data(), polls.size(), 20) <= 0) continue;
    std::size_t at = 1;
    for (auto c = connections_.begin(); c != connections_.end(); ++at) {
      const short events = polls[at].revents;
      const bool lives = events == 0 || ((events & POLLOUT) != 0 ? write(*c) : read(*c));
      c = lives ? std::next(c) : connections_.erase(c);
    }
    base::UniqueFd next(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (next.valid()) connections_.push_back({std::move(next), {}, {}, 0});
  }
}

bool Origin::read(Connection& c) {
  char bytes[16'384];
  const ssize_t got = ::recv(c.fd.get(), bytes, sizeof bytes, 0);
  if (got <= 0) return got < 0 && errno == EAGAIN;
  c.in.append(bytes, static_cast<std::size_t>(got));
  const std::size_t size = push::request_size(c.in);
  if (size == 0) return true;
  const std::size_t big = c.in.find(" /big/");
  const bool is_big = big != std::string::npos && big < c.in.find("\r\n");
  c.body = is_big ? std::strtoull(c.in.c_str() + big + 6, nullptr, 10) : 2;
  c.head = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(c.body) + "\r\n\r\n";
  c.in.erase(0, size);
  ++served_;
  return write(c);
}

bool Origin::write(Connection& c) {
  static const std::string kBody(65'536, 'o');
  while (!c.head.empty() || c.body > 0) {
    const bool head = !c.head.empty();
    const char* from = head ? c.head.data() : kBody.data();
    const std::size_t most = head ? c.head.size() : std::min(c.body, kBody.size());
    const ssize_t put = ::send(c.fd.get(), from, most, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (put < 0) return errno == EAGAIN;
    sent_ += static_cast<std::uint64_t>(put);
    if (head) {
      c.head.erase(0, static_cast<std::size_t>(put));
    } else {
      c.body -= static_cast<std::size_t>(put);
    }
  }
  return true;
}

}  // namespace weir::attack
