#include "tests/scenario/harness/backend_connection.h"

#include <openssl/evp.h>
#include <sys/epoll.h>

#include <array>

#include "common/base/text.h"

namespace weir::scenario {
namespace {

constexpr std::size_t kPiece = 64 * 1024;

// The part of X-Do behind the n-th ':'.
long argument(const std::string& what, int n) {
  std::size_t at = 0;
  for (int i = 0; i < n && at != std::string::npos; ++i) at = what.find(':', at + 1);
  return at == std::string::npos ? 0 : std::strtol(what.c_str() + at + 1, nullptr, 10);
}

bool begins(const std::string& what, std::string_view with) { return what.rfind(with, 0) == 0; }

std::string websocket_accept(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
  return base::base64_encode({reinterpret_cast<const char*>(digest.data()), size});
}

std::string chunk_of(std::string_view data) {
  std::array<char, 32> size{};
  std::snprintf(size.data(), size.size(), "%zx\r\n", data.size());
  return size.data() + std::string(data) + "\r\n";
}

}  // namespace

std::string sum_of(std::string_view bytes) {
  std::uint64_t sum = 14695981039346656037ULL;
  for (const char c : bytes) sum = (sum ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return std::to_string(sum);
}

std::string pattern(std::size_t size) {
  std::string out(size, ' ');
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>('a' + (i % 251) % 26);
  return out;
}

bool BackendConnection::fill() {
  if (out.empty() && generated > 0) {
    static const std::string kPattern = pattern(251 * 1024);
    const std::size_t from = generated_at % kPattern.size();
    const std::size_t size = std::min({kPiece, generated, kPattern.size() - from});
    out.assign(kPattern, from, size);
    generated -= size;
    generated_at += size;
  }
  return !out.empty();
}

void BackendConnection::want(int epoll) {
  const std::uint32_t events =
      (resting ? 0U : EPOLLIN) | (out.empty() && generated == 0 ? 0U : EPOLLOUT);
  if (events == wanted) return;
  wanted = events;
  epoll_event event{events, {.u64 = id}};
  ::epoll_ctl(epoll, EPOLL_CTL_MOD, fd.get(), &event);
}

void Backends::take(BackendConnection& c) {
  if (c.busy) return;
  const MessageReader::State state = c.reader.feed(c.in);
  if (state == MessageReader::State::kBad) return drop(c, true);
  if (c.reader.head_complete() && !c.head_seen) {
    c.head_seen = true;
    const Message& head = c.reader.message();
    {
      const std::lock_guard lock(mutex_);
      if (head.has("X-Probe")) ++probes_[std::string(head.find("X-Probe"))];
    }
    const std::string what(head.find("X-Do"));
    if (head.has("Expect")) c.out += "HTTP/1.1 100 Continue\r\n\r\n";
    if (begins(what, "rest:")) {
      c.resting = true;
      later(Millis(argument(what, 1)), c.id, [this](BackendConnection& rested) {
        rested.resting = false;
        flush(rested);
      });
    }
  }
  if (state != MessageReader::State::kDone) return flush(c);
  c.request = c.reader.take();
  c.head_seen = false;
  c.busy = true;
  {
    const std::lock_guard lock(mutex_);
    c.backend.last = c.request;
  }
  answer(c);
}

void Backends::answer(BackendConnection& c) {
  const std::string what(c.request.find("X-Do"));
  if (c.request.has("Upgrade")) return upgrade(c);
  if (begins(what, "silent")) return;
  if (begins(what, "reset")) return drop(c, true);
  if (!begins(what, "delay:")) return answer_now(c, what);
  later(Millis(argument(what, 1)), c.id,
        [this, what](BackendConnection& waited) { answer_now(waited, what); });
}

void Backends::answer_now(BackendConnection& c, const std::string& what) {
  const std::string named = "Content-Type: text/plain\r\nX-Backend: " + c.backend.name + "\r\n";
  if (begins(what, "cut")) {
    c.out += "HTTP/1.1 200 OK\r\n" + named + "Content-Length: 1000\r\n\r\nshort";
    const std::uint64_t id = c.id;
    flush(c);
    return later(Millis(20), id, [this](BackendConnection& cut) { drop(cut, true); });
  }
  if (begins(what, "stream:") || begins(what, "chunked:")) {
    c.out += "HTTP/1.1 200 OK\r\n" + named + "Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n";
    return stream(c.id, static_cast<int>(argument(what, 1)), Millis(argument(what, 2)));
  }
  if (begins(what, "hints")) {
    c.out += "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n";
  }
  const long big = begins(what, "big:") ? argument(what, 1) : 0;
  const std::string body = std::string(c.request.method()) + " " + std::string(c.request.target()) +
                           " " + c.backend.name +
                           " length=" + std::to_string(c.request.body.size()) +
                           " sum=" + sum_of(c.request.body) + "\n";
  const long status = begins(what, "status:") ? argument(what, 1) : 200;
  const bool close = begins(what, "close") || c.backend.ending;
  c.closing = close;
  c.out += "HTTP/1.1 " + std::to_string(status) + " Text\r\n" + named +
           (close ? "Connection: close\r\n" : "") + "Content-Length: " +
           std::to_string(big > 0 ? static_cast<std::size_t>(big) : body.size()) + "\r\n\r\n";
  if (big > 0 && c.request.method() != "HEAD") {
    c.generated = static_cast<std::size_t>(big);
    c.generated_at = 0;
  } else if (c.request.method() != "HEAD") {
    c.out += body;
  }
  finish(c);
}

void Backends::stream(std::uint64_t id, int left, Millis gap) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  BackendConnection& c = *found->second;
  while (left > 0) {
    c.out += chunk_of("data: " + c.backend.name + " " + std::to_string(left) + "\n\n");
    --left;
    if (gap == Millis(0)) continue;
    later(gap, id, [this, id, left, gap](BackendConnection&) { stream(id, left, gap); });
    return flush(c);
  }
  c.out += "0\r\nX-Sum: done\r\n\r\n";
  c.closing = c.closing || c.backend.ending;
  finish(c);
}

void Backends::finish(BackendConnection& c) {
  ++c.backend.served;
  c.busy = false;
  c.idle_since = Clock::now();
  const std::uint64_t id = c.id;
  flush(c);
  const auto found = connections_.find(id);
  if (found != connections_.end() && !found->second->in.empty()) take(*found->second);
}

void Backends::upgrade(BackendConnection& c) {
  const std::string protocol(c.request.find("Upgrade"));
  c.out += "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: " + protocol +
           "\r\nX-Backend: " + c.backend.name + "\r\n";
  const std::string_view key = c.request.find("Sec-WebSocket-Key");
  if (!key.empty()) c.out += "Sec-WebSocket-Accept: " + websocket_accept(key) + "\r\n";
  c.out += "\r\n";
  c.tunnel = base::equals_ignore_case(protocol, "websocket") ? BackendConnection::Tunnel::kWebSocket
                                                             : BackendConnection::Tunnel::kBytes;
  ++c.backend.served;
  echo(c);
}

void Backends::echo(BackendConnection& c) {
  if (c.tunnel == BackendConnection::Tunnel::kBytes) {
    c.out += std::exchange(c.in, {});
    return flush(c);
  }
  for (;;) {
    const std::size_t size =
        c.in.size() < 6 ? 0 : static_cast<std::size_t>(static_cast<unsigned char>(c.in[1]) & 127U);
    if (c.in.size() < 6 || c.in.size() < 6 + size) break;
    std::string data = c.in.substr(6, size);
    for (std::size_t i = 0; i < size; ++i) data[i] = static_cast<char>(data[i] ^ c.in[2 + i % 4]);
    c.out += c.in.substr(0, 1) + std::string(1, static_cast<char>(size)) + data;
    c.in.erase(0, 6 + size);
  }
  flush(c);
}

}  // namespace weir::scenario
