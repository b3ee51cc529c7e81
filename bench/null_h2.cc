// The floor of the HTTP/2 rows: TLS and nghttp2 towards the client, one pooled HTTP/1 connection
// for each open stream towards the origin, a fixed request head, no field of a request looked at
// but its path. The origin's answers have a Content-Length.
//
//   weir-bench-null-h2 LISTEN_PORT UPSTREAM_PORT CERT KEY

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <utility>

#include "bench/null_net.h"
#include "bench/null_tls.h"

namespace {

struct Client;
struct Upstream;

struct End {
  virtual ~End() = default;
  int fd = -1;
};
struct Stream {
  std::string path;
  std::string body;
  std::size_t sent = 0;
  Upstream* upstream = nullptr;
};
struct Upstream final : End {
  Client* client = nullptr;
  std::int32_t stream = 0;
  std::string answer;
};

class NullH2;

struct Client final : End {
  Client(SSL_CTX* context, NullH2& home) : tls(context), proxy(home) {}
  ~Client() override { nghttp2_session_del(session); }
  bench::TlsPipe tls;
  NullH2& proxy;
  nghttp2_session* session = nullptr;
  std::map<std::int32_t, Stream> streams;
  bool dirty = false;
  bool blocked = false;
};

nghttp2_nv field(std::string_view name, std::string_view value) {
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

class NullH2 {
 public:
  NullH2(int listen_port, int upstream_port, SSL_CTX* context)
      : upstream_port_(upstream_port), context_(context), epoll_(::epoll_create1(0)) {
    listener_.fd = bench::listen_on(listen_port);
    bench::watch(epoll_, listener_.fd, static_cast<End*>(&listener_), EPOLLIN, EPOLL_CTL_ADD);
    nghttp2_session_callbacks_new(&callbacks_);
    nghttp2_session_callbacks_set_on_header_callback(callbacks_, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks_, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks_, on_close);
  }

  void run() {
    std::array<epoll_event, 256> events;
    for (;;) {
      const int ready = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < ready; ++i) {
        handle(static_cast<End*>(events[static_cast<std::size_t>(i)].data.ptr),
               events[static_cast<std::size_t>(i)].events);
      }
      for (Client* client : std::exchange(dirty_, {})) {
        client->dirty = false;
        if (client->fd >= 0) flush(*client);
      }
      dead_.clear();
    }
  }

  void ask(Client& client, std::int32_t id) {
    if (idle_.empty()) {
      auto* made = new Upstream;
      made->fd = bench::connect_to(upstream_port_);
      bench::watch(epoll_, made->fd, static_cast<End*>(made), EPOLLIN, EPOLL_CTL_ADD);
      idle_.push_back(made);
    }
    Stream& stream = client.streams[id];
    stream.upstream = idle_.back();
    idle_.pop_back();
    stream.upstream->client = &client;
    stream.upstream->stream = id;
    const std::string head = "GET " + stream.path + " HTTP/1.1\r\nHost: origin\r\n\r\n";
    ::send(stream.upstream->fd, head.data(), head.size(), MSG_NOSIGNAL);
  }

 private:
  struct Door final : End {};

  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                       std::uint8_t, void* user) {
    if (name_size == 5 && std::memcmp(name, ":path", 5) == 0) {
      static_cast<Client*>(user)->streams[frame->hd.stream_id].path.assign(
          reinterpret_cast<const char*>(value), value_size);
    }
    return 0;
  }
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    auto& client = *static_cast<Client*>(user);
    if (frame->hd.type == NGHTTP2_HEADERS && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
      client.proxy.ask(client, frame->hd.stream_id);
    }
    return 0;
  }
  static int on_close(nghttp2_session*, std::int32_t id, std::uint32_t, void* user) {
    auto& client = *static_cast<Client*>(user);
    const auto found = client.streams.find(id);
    if (found == client.streams.end()) return 0;
    if (found->second.upstream != nullptr) found->second.upstream->client = nullptr;
    client.streams.erase(found);
    return 0;
  }
  static ssize_t read_body(nghttp2_session*, std::int32_t, std::uint8_t* out, std::size_t room,
                           std::uint32_t* flags, nghttp2_data_source* source, void*) {
    auto& stream = *static_cast<Stream*>(source->ptr);
    const std::size_t size = std::min(room, stream.body.size() - stream.sent);
    std::memcpy(out, stream.body.data() + stream.sent, size);
    stream.sent += size;
    if (stream.sent == stream.body.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(size);
  }

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
      auto* client = new Client(context_, *this);
      client->fd = fd;
      nghttp2_session_server_new(&client->session, callbacks_, client);
      const nghttp2_settings_entry entry{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 128};
      nghttp2_submit_settings(client->session, NGHTTP2_FLAG_NONE, &entry, 1);
      bench::watch(epoll_, fd, static_cast<End*>(client), EPOLLIN, EPOLL_CTL_ADD);
    }
  }

  void mark(Client& client) {
    if (client.dirty) return;
    client.dirty = true;
    dirty_.push_back(&client);
  }

  void from_client(Client& client) {
    const ssize_t got = ::recv(client.fd, wire_.data(), wire_.size(), 0);
    if (got < 0 && errno == EAGAIN) return;
    plain_.clear();
    if (got <= 0 || !client.tls.feed(wire_.data(), static_cast<std::size_t>(got), plain_) ||
        (!plain_.empty() &&
         nghttp2_session_mem_recv(client.session, reinterpret_cast<std::uint8_t*>(plain_.data()),
                                  plain_.size()) < 0)) {
      return close(client);
    }
    mark(client);
  }

  void from_upstream(Upstream& upstream) {
    const ssize_t got = ::recv(upstream.fd, wire_.data(), wire_.size(), 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0 || upstream.client == nullptr) {
      ::close(upstream.fd);
      upstream.fd = -1;
      std::erase(idle_, &upstream);
      dead_.emplace_back(&upstream);
      return;
    }
    upstream.answer.append(wire_.data(), static_cast<std::size_t>(got));
    const std::size_t end = upstream.answer.find("\r\n\r\n");
    const std::size_t length = upstream.answer.find("Content-Length: ");
    if (end == std::string::npos || length == std::string::npos) return;
    const std::string_view digits =
        std::string_view(upstream.answer)
            .substr(length + 16, upstream.answer.find('\r', length) - length - 16);
    const auto size = static_cast<std::size_t>(std::atoll(upstream.answer.c_str() + length + 16));
    if (upstream.answer.size() < end + 4 + size) return;
    answer(upstream, digits, end + 4);
  }

  void answer(Upstream& upstream, std::string_view length, std::size_t head) {
    Client& client = *upstream.client;
    Stream& stream = client.streams[upstream.stream];
    const std::array<nghttp2_nv, 3> fields{field(":status", "200"), field("content-length", length),
                                           field("content-type", "text/plain")};
    stream.body.assign(upstream.answer, head);
    stream.upstream = nullptr;
    nghttp2_data_provider provider{};
    provider.source.ptr = &stream;
    provider.read_callback = read_body;
    nghttp2_submit_response(client.session, upstream.stream, fields.data(), fields.size(),
                            &provider);
    upstream.client = nullptr;
    upstream.answer.clear();
    idle_.push_back(&upstream);
    mark(client);
  }

  // All that the session has to say, in as few records and one send.
  void flush(Client& client) {
    frames_.clear();
    while (client.tls.open()) {
      const std::uint8_t* bytes = nullptr;
      const ssize_t size = nghttp2_session_mem_send(client.session, &bytes);
      if (size <= 0) break;
      frames_.insert(frames_.end(), bytes, bytes + size);
    }
    client.tls.write(frames_.data(), frames_.size());
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
  }

  void close(Client& client) {
    ::close(client.fd);
    client.fd = -1;
    for (auto& [id, stream] : client.streams) {
      if (stream.upstream != nullptr) stream.upstream->client = nullptr;
    }
    dead_.emplace_back(&client);
    std::erase(dirty_, &client);
  }

  const int upstream_port_;
  SSL_CTX* const context_;
  const int epoll_;
  Door listener_;
  nghttp2_session_callbacks* callbacks_ = nullptr;
  std::vector<Upstream*> idle_;
  std::vector<Client*> dirty_;
  std::vector<std::unique_ptr<End>> dead_;
  std::vector<char> wire_ = std::vector<char>(256 * 1024);
  std::vector<char> plain_;
  std::vector<char> frames_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: weir-bench-null-h2 LISTEN_PORT UPSTREAM_PORT CERT KEY\n");
    return 2;
  }
  SSL_CTX* context = bench::make_context(argv[3], argv[4]);
  SSL_CTX_set_alpn_select_cb(context, bench::choose_h2, nullptr);
  NullH2(std::atoi(argv[1]), std::atoi(argv[2]), context).run();
}
