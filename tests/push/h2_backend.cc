#include "tests/push/h2_backend.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

namespace weir::push {
namespace {

using codec::data;
using codec::frame;
using codec::headers;

std::string value_of(const std::string& line, const std::string& name) {
  const std::string wanted = " | " + name + ": ";
  const std::size_t at = line.find(wanted);
  if (at == std::string::npos) return {};
  const std::size_t from = at + wanted.size();
  return line.substr(from, line.find(" | ", from) - from);
}

// One field of the static table as often as a frame holds: 16,000 fields, a megabyte decoded.
std::string bomb(std::uint32_t id) {
  return frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, id, "\x88" + std::string(16'000, '\x90'));
}

std::string many(int times, const std::string& one) {
  std::string out;
  for (int i = 0; i < times; ++i) out += one;
  return out;
}

}  // namespace

H2Backend::H2Backend(std::uint32_t max_streams) : max_streams_(max_streams) {
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

H2Backend::~H2Backend() {
  stop_ = true;
  thread_.join();
}

int H2Backend::processed(const std::string& path) {
  const std::lock_guard lock(mutex_);
  return processed_[path];
}

std::string H2Backend::head(const std::string& path) {
  const std::lock_guard lock(mutex_);
  return heads_[path];
}

int H2Backend::count(const std::string& path) {
  const std::lock_guard lock(mutex_);
  return ++asked_[path];
}

void H2Backend::run() {
  while (!stop_) {
    std::vector<pollfd> polled{{listener_.get(), POLLIN, 0}};
    for (const auto& c : connections_) polled.push_back({c->fd.get(), POLLIN, 0});
    ::poll(polled.data(), polled.size(), 5);
    for (std::size_t i = 0; i < connections_.size(); ++i) {
      if (polled[i + 1].revents != 0) read(*connections_[i]);
    }
    std::size_t waiting = 0;
    for (const auto& c : connections_) {
      for (auto& [id, stream] : c->streams) {
        if (stream.answered || !stream.ended) continue;
        ++waiting;
        if (released_) answer(*c, id);
      }
    }
    waiting_ = waiting;
    std::erase_if(connections_, [](const auto& c) { return c->over; });
    accept_all();
  }
}

void H2Backend::accept_all() {
  while (true) {
    base::UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!fd.valid()) return;
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connections_.push_back(std::make_unique<Connection>());
    connections_.back()->fd = std::move(fd);
    send(*connections_.back(),
         codec::settings({{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, max_streams_}}));
    ++accepted_;
  }
}

void H2Backend::read(Connection& c) {
  char buffer[65'536];
  const ssize_t got = ::recv(c.fd.get(), buffer, sizeof buffer, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    c.over = true;
    return;
  }
  c.in.append(buffer, static_cast<std::size_t>(got));
  for (const std::string& line : c.reader.read(c.in)) {
    if (!c.over) take(c, line);
  }
}

void H2Backend::take(Connection& c, const std::string& line) {
  const std::string type = line.substr(0, line.find(' '));
  const auto id = static_cast<std::uint32_t>(std::atoi(line.c_str() + type.size()));
  const std::string rest = line.substr(type.size() + 1);
  const bool ends = rest.starts_with(std::to_string(id) + " end");
  if (type == "GOAWAY" && id != 0) ++gone_away_;
  if (type == "RST_STREAM" && c.streams.erase(id) > 0) ++cancelled_;
  if (type == "HEADERS" && !c.streams.contains(id)) begin(c, id, line);
  const auto found = c.streams.find(id);
  if (found == c.streams.end() || !ends) return;
  found->second.ended = true;
  if (found->second.path != "/hold" || released_) answer(c, id);
}

void H2Backend::begin(Connection& c, std::uint32_t id, const std::string& line) {
  const std::string path = value_of(line, ":path");
  if (misbehave(c, id, path)) return;
  const std::lock_guard lock(mutex_);
  ++processed_[path];
  heads_[path] = line;
  c.streams[id] = {path, false, false};
}

// True when the request is not processed, or the connection is over.
bool H2Backend::misbehave(Connection& c, std::uint32_t id, const std::string& path) {
  const int time = count(path);
  const bool is_first = time == 1;
  if (path == "/refuse" && is_first) return send(c, codec::reset(id, NGHTTP2_REFUSED_STREAM)), true;
  if (path == "/refuse-always") return send(c, codec::reset(id, NGHTTP2_REFUSED_STREAM)), true;
  if (path == "/goaway" && is_first) return send(c, codec::goaway(id - 2)), true;
  const bool cuts = path == "/cut" || path == "/goaway-and-cut";
  if (cuts) {
    const std::lock_guard lock(mutex_);
    ++processed_[path];
    if (path == "/goaway-and-cut") send(c, codec::goaway(id));
    return c.over = true;
  }
  std::string answer;
  if (path == "/bomb") answer = bomb(id);
  if (path == "/flood") answer = many(20'000, frame(NGHTTP2_PING, 0, 0, "12345678"));
  if (path == "/settings") answer = many(20'000, codec::settings());
  if (path == "/empty") answer = headers(id, {{":status", "200"}}) + many(50'000, data(id, ""));
  if (path == "/interims") answer = many(1'000, headers(id, {{":status", "103"}}));
  if (path == "/short") {
    answer = headers(id, {{":status", "200"}, {"content-length", "5"}}) + data(id, "abc", true);
  }
  if (path == "/long") {
    answer = headers(id, {{":status", "200"}, {"content-length", "2"}}) + data(id, "abcdef", true);
  }
  if (path == "/cancel") answer = codec::reset(id, NGHTTP2_CANCEL);
  if (path == "/noise") answer = std::string(200, '\xff');
  if (path == "/push") {
    answer = frame(NGHTTP2_PUSH_PROMISE, NGHTTP2_FLAG_END_HEADERS, id,
                   codec::number(2, 4) + "\x82\x84\x86");
  }
  if (!answer.empty()) send(c, answer);
  return !answer.empty();
}

void H2Backend::answer(Connection& c, std::uint32_t id) {
  Stream& stream = c.streams[id];
  stream.answered = true;
  std::string out = headers(id, {{":status", "200"}, {"content-type", "application/grpc"}});
  out += data(id, "h2");
  if (stream.path.starts_with("/trailers")) {
    out += headers(id, {{"grpc-status", "0"}, {"x-sum", "7"}}, true);
  } else {
    out += data(id, "", true);
  }
  send(c, out);
}

void H2Backend::send(Connection& c, const std::string& bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t put = ::send(c.fd.get(), bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
    if (put <= 0) {
      c.over = true;
      return;
    }
    at += static_cast<std::size_t>(put);
  }
}

}  // namespace weir::push
