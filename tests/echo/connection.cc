#include "tests/echo/connection.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>

#include "common/base/json.h"
#include "common/base/text.h"

namespace weir::echo {

Connection::Connection(loop::Loop& loop, base::UniqueFd fd, const Settings& settings)
    : loop_(loop),
      fd_(std::move(fd)),
      settings_(settings),
      timer_(loop.timers(), [this] { on_timer(); }) {
  token_ = loop_.add(fd_.get(), *this, EPOLLIN);
}

Connection::~Connection() { loop_.remove(token_); }

void Connection::on_io(std::uint32_t events) {
  if ((events & EPOLLOUT) != 0) flush();
  if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) read_some();
  take_all();
  if (dead_ || (closing_ && !busy_ && out_.empty())) delete this;
}

void Connection::read_some() {
  char buffer[65'536];
  while (true) {
    const ssize_t got = ::recv(fd_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (got > 0) {
      in_.append(buffer, static_cast<std::size_t>(got));
      if (static_cast<std::size_t>(got) < sizeof buffer) return;
      continue;
    }
    if (got < 0 && errno == EINTR) continue;
    if (got == 0 || errno != EAGAIN) dead_ = true;
    return;
  }
}

void Connection::take_all() {
  while (web_socket_ && !dead_) {
    const auto frame = take_frame(in_);
    if (!frame) return;
    const unsigned opcode = frame->first_byte & 0x0fU;
    if (opcode == 8) closing_ = true;
    // A ping (9) is answered by a pong (10) with its payload.
    send(encode_frame({opcode == 9 ? 0x8aU : frame->first_byte, frame->payload}));
  }
  while (!web_socket_ && !busy_ && !closing_ && !dead_) {
    const auto request = take_request(in_);
    if (!request) return;
    answer(*request);
    if (web_socket_) return take_all();
  }
}

void Connection::answer(const Request& request) {
  if (base::to_lower(request.header("connection")) == "close") closing_ = true;
  const std::string path = request.path();
  if (base::to_lower(request.header("upgrade")) == "websocket") return answer_upgrade(request);
  if (path == "/slow") {
    busy_ = true;
    slow_ = request;
    timer_.arm(loop_.now() + std::chrono::milliseconds(request.parameter("ms", 100)));
  } else if (path == "/stream") {
    busy_ = true;
    chunks_left_ = request.parameter("n", 10);
    gap_ = std::chrono::milliseconds(request.parameter("ms", 0));
    send("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n");
    timer_.arm(loop_.now() + gap_);
  } else {
    answer_plain(request);
  }
}

void Connection::answer_upgrade(const Request& request) {
  web_socket_ = true;
  closing_ = false;
  send(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "X-Backend: " +
      settings_.name +
      "\r\nSec-WebSocket-Accept: " + accept_key(request.header("sec-websocket-key")) + "\r\n\r\n");
}

void Connection::answer_plain(const Request& request) {
  std::string body;
  if (settings_.body_bytes > 0 && request.method == "GET") {
    body.assign(settings_.body_bytes, 'x');
  } else {
    base::Json json = base::Json::object();
    json.set("name", settings_.name);
    json.set("method", request.method);
    json.set("path", request.target);
    base::Json headers = base::Json::array();
    for (const auto& [name, value] : request.headers) {
      base::Json pair = base::Json::array();
      pair.push(name);
      pair.push(value);
      headers.push(std::move(pair));
    }
    json.set("headers", std::move(headers));
    json.set("body_bytes", static_cast<std::int64_t>(request.body_bytes));
    body = json.to_string() + "\n";
  }
  std::string head =
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Backend: " + settings_.name +
      "\r\nContent-Length: " + std::to_string(body.size()) +
      (closing_ ? "\r\nConnection: close\r\n\r\n" : "\r\n\r\n");
  send(request.method == "HEAD" ? head : head + body);
}

void Connection::on_timer() {
  if (chunks_left_ >= 0) {
    next_chunk();
  } else {
    busy_ = false;
    answer_plain(slow_);
  }
  take_all();
  if (dead_ || (closing_ && !busy_ && out_.empty())) delete this;
}

void Connection::next_chunk() {
  if (chunks_left_ == 0) {
    chunks_left_ = -1;
    busy_ = false;
    return send("0\r\n\r\n");
  }
  const std::string line =
      "chunk " + std::to_string(chunks_left_--) + " of " + settings_.name + "\n";
  char size[20];
  std::snprintf(size, sizeof size, "%zx\r\n", line.size());
  send(size + line + "\r\n");
  timer_.arm(loop_.now() + gap_);
}

void Connection::send(std::string_view bytes) {
  out_ += bytes;
  flush();
}

void Connection::flush() {
  while (!out_.empty()) {
    const ssize_t put = ::send(fd_.get(), out_.data(), out_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (put > 0) {
      out_.erase(0, static_cast<std::size_t>(put));
    } else if (put < 0 && errno == EAGAIN) {
      break;
    } else if (put < 0 && errno != EINTR) {
      dead_ = true;
      out_.clear();
    }
  }
  const std::uint32_t write_event = out_.empty() ? 0U : static_cast<std::uint32_t>(EPOLLOUT);
  loop_.modify(token_, EPOLLIN | write_event);
}

}  // namespace weir::echo
