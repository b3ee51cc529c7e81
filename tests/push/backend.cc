#include "tests/push/backend.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdlib>
#include <list>
#include <utility>

#include "common/base/text.h"

namespace weir::push {
namespace {

constexpr std::size_t kNone = std::string::npos;

// End of a chunked body that begins at `at`; kNone when it is not whole.
std::size_t chunked_end(const std::string& in, std::size_t at) {
  while (true) {
    const std::size_t line = in.find("\r\n", at);
    if (line == kNone) return kNone;
    const std::size_t size = std::strtoull(in.c_str() + at, nullptr, 16);
    at = line + 2;
    if (size == 0) break;
    at += size + 2;
    if (at > in.size()) return kNone;
  }
  while (true) {  // trailers
    const std::size_t line = in.find("\r\n", at);
    if (line == kNone) return kNone;
    if (line == at) return at + 2;
    at = line + 2;
  }
}

int number_after(const std::string& target, const char* word) {
  return target.rfind(word, 0) == 0
             ? std::atoi(target.c_str() + std::char_traits<char>::length(word))
             : -1;
}

void send_all(int fd, const std::string& bytes) {
  [[maybe_unused]] const ssize_t put = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

}  // namespace

std::string field_of(const std::string& message, const std::string& name) {
  std::size_t at = message.find("\r\n");
  while (at != kNone) {
    const std::size_t start = at + 2;
    at = message.find("\r\n", start);
    if (at == start || at == kNone) return {};
    const std::string_view line = std::string_view(message).substr(start, at - start);
    const std::size_t colon = line.find(':');
    if (colon == kNone || !base::equals_ignore_case(line.substr(0, colon), name)) continue;
    const std::size_t value = line.find_first_not_of(" \t", colon + 1);
    return value == kNone ? std::string() : std::string(line.substr(value));
  }
  return {};
}

std::size_t request_size(const std::string& in) {
  const std::size_t head = in.find("\r\n\r\n");
  if (head == kNone) return 0;
  if (base::equals_ignore_case(field_of(in, "Transfer-Encoding"), "chunked")) {
    const std::size_t end = chunked_end(in, head + 4);
    return end == kNone ? 0 : end;
  }
  const std::string length = field_of(in, "Content-Length");
  const std::size_t end = head + 4 + std::strtoull(length.c_str(), nullptr, 10);
  return end <= in.size() ? end : 0;
}

Backend::Backend(std::string name) : name_(std::move(name)) {
  listener_ = base::UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_.get(), generic, size) != 0) std::abort();
  if (::listen(listener_.get(), 512) != 0) std::abort();
  ::getsockname(listener_.get(), generic, &size);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

Backend::~Backend() {
  stop_ = true;
  thread_.join();
}

std::vector<std::string> Backend::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(taken_, {});
}

std::string Backend::last() {
  const std::lock_guard lock(mutex_);
  return last_;
}

void Backend::run() {
  std::list<Connection> connections;
  while (!stop_) {
    std::vector<pollfd> waiting{{listener_.get(), POLLIN, 0}};
    for (Connection& c : connections) {
      waiting.push_back({c.fd.get(), static_cast<short>(held_ ? 0 : POLLIN), 0});
    }
    ::poll(waiting.data(), waiting.size(), 5);
    std::size_t i = 1;
    for (Connection& c : connections) {
      if ((waiting[i++].revents & (POLLIN | POLLHUP | POLLERR)) != 0 && !held_) read(c);
      if (!c.later.empty() && Clock::now() >= c.at) send_due(c);
    }
    connections.remove_if([](const Connection& c) { return c.over; });
    while (true) {
      base::UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!fd.valid()) break;
      const int on = 1;
      ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      connections.push_back({std::move(fd), {}, {}, {}, false});
      ++accepted_;
    }
    open_ = connections.size();
  }
}

void Backend::read(Connection& c) {
  char buffer[65'536];
  const ssize_t got = ::recv(c.fd.get(), buffer, sizeof buffer, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  c.over = got <= 0;
  if (got <= 0) return;
  c.in.append(buffer, static_cast<std::size_t>(got));
  take_requests(c);
}

void Backend::take_requests(Connection& c) {
  while (const std::size_t size = request_size(c.in)) {
    const std::string request = c.in.substr(0, size);
    c.in.erase(0, size);
    {
      const std::lock_guard lock(mutex_);
      taken_.push_back(request);
      last_ = request;
    }
    ++served_;
    answer(c, request);
  }
}

void Backend::answer(Connection& c, const std::string& request) {
  const std::size_t from = request.find(' ') + 1;
  const std::string target = request.substr(from, request.find(' ', from) - from);
  const std::string head = "HTTP/1.1 " + std::to_string(status_) +
                           " Status\r\nX-Backend: " + name_ +
                           "\r\nContent-Length: " + std::to_string(name_.size()) + "\r\n\r\n";
  const bool without_body = request.rfind("HEAD ", 0) == 0;
  const std::string whole = without_body ? head : head + name_;
  if (target == "/never") return;
  if (target == "/cut") {
    c.over = true;
    return;
  }
  const int asked = number_after(target, "/slow/");
  const int slow = asked < 0 && later_ > 0 ? later_.load() : asked;
  const int gap = number_after(target, "/gap/");
  if (gap >= 0) send_all(c.fd.get(), head + name_.substr(0, 1));
  if (slow < 0 && gap < 0) return send_all(c.fd.get(), whole);
  c.later = gap >= 0 ? name_.substr(1) : whole;
  c.at = Clock::now() + Millis(slow >= 0 ? slow : gap);
}

void Backend::send_due(Connection& c) { send_all(c.fd.get(), std::exchange(c.later, {})); }

}  // namespace weir::push
