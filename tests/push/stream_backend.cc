#include "tests/push/stream_backend.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace weir::push {
namespace {

constexpr std::size_t kMostHeld = 256 * 1024;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return out;
}

base::UniqueFd bound(std::uint16_t port, int type) {
  base::UniqueFd fd(socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  if (type == SOCK_STREAM) setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const sockaddr_in address = loopback(port);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fd.reset();
  return fd;
}

}  // namespace

StreamBackend::StreamBackend(std::string name) : name_(std::move(name)) {
  while (!listener_.valid() || !datagrams_.valid()) {
    port_ = free_port();
    listener_ = bound(port_, SOCK_STREAM);
    datagrams_ = bound(port_, SOCK_DGRAM);
  }
  listen(listener_.get(), 64);
  thread_ = std::thread([this] { run(); });
}

StreamBackend::~StreamBackend() {
  stop_ = true;
  thread_.join();
}

void StreamBackend::run() {
  while (!stop_) {
    if (killed_ && !gone_) {
      const linger hard{1, 0};
      for (Connection& c : connections_) {
        setsockopt(c.fd.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
      }
      connections_.clear();
      listener_.reset();
      datagrams_.reset();
      gone_ = true;
    }
    std::vector<pollfd> waits = {{listener_.get(), POLLIN, 0}, {datagrams_.get(), POLLIN, 0}};
    for (const Connection& c : connections_) {
      const bool reads = !c.ended && c.out.size() < kMostHeld;
      const int events = (reads ? POLLIN : 0) | (c.out.empty() ? 0 : POLLOUT);
      waits.push_back({c.fd.get(), static_cast<short>(events), 0});
    }
    poll(waits.data(), waits.size(), 5);
    for (Connection& c : connections_) pump(c);
    std::erase_if(connections_, [](const Connection& c) { return c.over; });
    open_ = connections_.size();
    if (gone_) continue;
    base::UniqueFd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.valid()) {
      ++accepted_;
      connections_.push_back({std::move(fd), name_ + "\n", false, false});
    }
    answer_datagrams();
  }
}

void StreamBackend::pump(Connection& c) {
  std::array<char, 64 * 1024> buffer;
  if (!c.ended && c.out.size() < kMostHeld) {
    const ssize_t got = recv(c.fd.get(), buffer.data(), buffer.size(), 0);
    if (got > 0) c.out.append(buffer.data(), static_cast<std::size_t>(got));
    if (got == 0) {
      c.ended = true;
      c.out += "BYE\n";
    }
    if (got < 0 && errno != EAGAIN) c.over = true;
  }
  if (!c.out.empty()) {
    const ssize_t sent = ::send(c.fd.get(), c.out.data(), c.out.size(), MSG_NOSIGNAL);
    if (sent > 0) c.out.erase(0, static_cast<std::size_t>(sent));
    if (sent < 0 && errno != EAGAIN) c.over = true;
  }
  if (c.ended && c.out.empty()) c.over = true;
}

void StreamBackend::answer_datagrams() {
  std::array<char, 65'536> buffer;
  for (int i = 0; i < 64; ++i) {
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    const ssize_t got = recvfrom(datagrams_.get(), buffer.data(), buffer.size(), 0,
                                 reinterpret_cast<sockaddr*>(&from), &size);
    if (got < 0) return;
    const std::string bytes(buffer.data(), static_cast<std::size_t>(got));
    const int answers = bytes.starts_with("never") ? 0 : bytes.starts_with("twice") ? 2 : 1;
    const std::string answer = (name_ + " " + bytes).substr(0, 65'507);
    for (int n = 0; n < answers; ++n) {
      sendto(datagrams_.get(), answer.data(), answer.size(), 0,
             reinterpret_cast<const sockaddr*>(&from), size);
    }
  }
}

RawClient::RawClient(std::uint16_t port, bool udp, int receive_buffer)
    : fd_(socket(AF_INET, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0)) {
  if (receive_buffer > 0) {
    setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  }
  const sockaddr_in address = loopback(port);
  if (connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fd_.reset();
    return;
  }
  fcntl(fd_.get(), F_SETFL, O_NONBLOCK);
}

bool RawClient::wait(short events, Millis most) const {
  pollfd one{fd_.get(), events, 0};
  return poll(&one, 1, static_cast<int>(most.count())) > 0;
}

std::size_t RawClient::send_some(std::string_view bytes) {
  const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  return sent > 0 ? static_cast<std::size_t>(sent) : 0;
}

bool RawClient::send(std::string_view bytes) {
  const Clock::time_point until = Clock::now() + kPatience;
  while (!bytes.empty() && Clock::now() < until) {
    const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return false;
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    if (!bytes.empty()) wait(POLLOUT, Millis(100));
  }
  return bytes.empty();
}

void RawClient::finish_sending() { shutdown(fd_.get(), SHUT_WR); }

std::string RawClient::receive(Millis most) {
  std::string out(256 * 1024, '\0');
  if (!wait(POLLIN, most)) return {};
  const ssize_t got = recv(fd_.get(), out.data(), out.size(), 0);
  out.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return out;
}

std::string RawClient::read(std::size_t bytes, Millis most) {
  const Clock::time_point until = Clock::now() + most;
  std::string out;
  while (out.size() < bytes && Clock::now() < until) {
    const std::string more = receive(most);
    if (more.empty()) break;
    out += more;
  }
  return out;
}

bool RawClient::ends(Millis most) {
  const Clock::time_point until = Clock::now() + most;
  std::array<char, 4'096> buffer;
  while (Clock::now() < until) {
    if (!wait(POLLIN, Millis(20))) continue;
    const ssize_t got = recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (got == 0 || (got < 0 && errno != EAGAIN)) return true;
  }
  return false;
}

std::uint16_t RawClient::local_port() const {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

}  // namespace weir::push
