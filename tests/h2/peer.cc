#include "tests/h2/peer.h"

#include <algorithm>
#include <cstring>

namespace weir::h2 {
namespace {

std::vector<nghttp2_nv> array_of(const Fields& fields) {
  std::vector<nghttp2_nv> out;
  const auto bytes = [](const std::string& text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  };
  for (const auto& [name, value] : fields) {
    out.push_back({bytes(name), bytes(value), name.size(), value.size(), 0});
  }
  return out;
}

}  // namespace

std::string Response::field(std::string_view name) const {
  for (const auto& [n, value] : fields) {
    if (n == name) return value;
  }
  return "";
}

struct Peer::Callbacks {
  static Peer& self(void* user) { return *static_cast<Peer*>(user); }

  static int header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                    std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                    std::uint8_t, void* user) {
    Response& response = self(user).responses_[frame->hd.stream_id];
    const std::string n(reinterpret_cast<const char*>(name), name_size);
    const std::string v(reinterpret_cast<const char*>(value), value_size);
    if (n == ":status") {
      const int status = std::stoi(v);
      if (status < 200) {
        response.interims.push_back(status);
      } else {
        response.status = status;
      }
    } else {
      (response.status != 0 && frame->headers.cat == NGHTTP2_HCAT_HEADERS && response.head_done
           ? response.trailers
           : response.fields)
          .emplace_back(n, v);
    }
    return 0;
  }

  static int frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    Peer& peer = self(user);
    if (frame->hd.type == NGHTTP2_GOAWAY) {
      peer.goaway = frame->goaway.error_code;
      peer.goaway_last = frame->goaway.last_stream_id;
      ++peer.goaways;
    }
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
    Response& response = peer.responses_[frame->hd.stream_id];
    if (frame->hd.type == NGHTTP2_HEADERS && response.status != 0) response.head_done = true;
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) response.ended = true;
    return 0;
  }

  static int data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes,
                  std::size_t size, void* user) {
    self(user).responses_[id].body.append(reinterpret_cast<const char*>(bytes), size);
    return 0;
  }

  static int closed(nghttp2_session*, std::int32_t id, std::uint32_t code, void* user) {
    self(user).responses_[id].closed = code;
    return 0;
  }

  static ssize_t read(nghttp2_session* session, std::int32_t id, std::uint8_t* to, std::size_t most,
                      std::uint32_t* flags, nghttp2_data_source* source, void*) {
    auto& body = *static_cast<Body*>(source->ptr);
    const std::size_t size = std::min(most, body.bytes.size() - body.sent);
    if (size == 0 && !body.ended) return NGHTTP2_ERR_DEFERRED;
    std::memcpy(to, body.bytes.data() + body.sent, size);
    body.sent += size;
    if (body.sent < body.bytes.size() || !body.ended) return static_cast<ssize_t>(size);
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (body.trailers.empty()) return static_cast<ssize_t>(size);
    *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    const auto trailers = array_of(body.trailers);
    nghttp2_submit_trailer(session, id, trailers.data(), trailers.size());
    return static_cast<ssize_t>(size);
  }
};

Peer::Peer(Options options) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, &Callbacks::header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &Callbacks::frame);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &Callbacks::data);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &Callbacks::closed);
  nghttp2_option* option = nullptr;
  nghttp2_option_new(&option);
  nghttp2_option_set_no_auto_window_update(option, options.opens_windows ? 0 : 1);
  nghttp2_session_client_new2(&session_, callbacks, this, option);
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  const nghttp2_settings_entry entry{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, options.window};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, &entry, 1);
}

Peer::~Peer() { nghttp2_session_del(session_); }

std::int32_t Peer::submit(const Fields& fields, std::unique_ptr<Body> body) {
  const auto array = array_of(fields);
  nghttp2_data_provider provider{};
  provider.source.ptr = body.get();
  provider.read_callback = &Callbacks::read;
  const std::int32_t id = nghttp2_submit_request(session_, nullptr, array.data(), array.size(),
                                                 body == nullptr ? nullptr : &provider, nullptr);
  if (body != nullptr) bodies_[id] = std::move(body);
  return id;
}

std::int32_t Peer::request(const Fields& fields, const std::string* body, const Fields& trailers) {
  if (body == nullptr) return submit(fields, nullptr);
  return submit(fields, std::unique_ptr<Body>(new Body{*body, 0, true, trailers}));
}

std::int32_t Peer::open(const Fields& fields) { return submit(fields, std::make_unique<Body>()); }

void Peer::send(std::int32_t id, std::string_view bytes) {
  bodies_[id]->bytes += bytes;
  nghttp2_session_resume_data(session_, id);
}

void Peer::end(std::int32_t id) {
  bodies_[id]->ended = true;
  nghttp2_session_resume_data(session_, id);
}

void Peer::reset(std::int32_t id, std::uint32_t code) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, code);
}

bool Peer::feed(std::string_view bytes) {
  return nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                  bytes.size()) >= 0;
}

std::string Peer::output() {
  std::string out;
  for (;;) {
    const std::uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_, &bytes);
    if (size <= 0) return out;
    out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  }
}

}  // namespace weir::h2
