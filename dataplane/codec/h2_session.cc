#include "dataplane/codec/h2_session.h"

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/check.h"

namespace weir::codec {
namespace {

constexpr std::size_t kFrameHead = 9;
constexpr unsigned kFirstExtension = 10;  // frame types that RFC 9113 does not define
// Streams kept for the next exchanges, so that steady traffic allocates none.
constexpr std::size_t kMostFree = 16;

struct FreeOption {
  void operator()(nghttp2_option* option) const { nghttp2_option_del(option); }
};
struct FreeCallbacks {
  void operator()(nghttp2_session_callbacks* callbacks) const {
    nghttp2_session_callbacks_del(callbacks);
  }
};

std::string_view text(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

// What nghttp2 calls, with the session as user data.
struct H2Session::Callbacks {
  static H2Session& self(void* user) { return *static_cast<H2Session*>(user); }

  static int begins_frame(nghttp2_session*, const nghttp2_frame_hd* hd, void* user) {
    H2Session& session = self(user);
    return session.ended_ || session.on_frame_begins(*hd) ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
  }

  static int begins_section(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    H2Session& session = self(user);
    if (session.ended_) return 0;
    if (!session.on_section(*frame)) {
      nghttp2_submit_rst_stream(session.handle(), NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                NGHTTP2_REFUSED_STREAM);
      return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    session.reader_.start(session.section_kind(*frame), session.context_);
    return 0;
  }

  static int field(nghttp2_session* handle, const nghttp2_frame* frame, const std::uint8_t* name,
                   std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                   std::uint8_t, void* user) {
    H2Session& session = self(user);
    if (session.ended_ || !session.reader_.open()) return 0;
    const bool fits = session.reader_.add(text(name, name_size), text(value, value_size));
    if (session.reader_.is_bomb()) return NGHTTP2_ERR_CALLBACK_FAILURE;
    if (fits) return 0;
    nghttp2_submit_rst_stream(handle, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                              NGHTTP2_PROTOCOL_ERROR);
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }

  // A field that nghttp2 would silently drop: here the message is malformed.
  static int invalid_field(nghttp2_session*, const nghttp2_frame*, const std::uint8_t*, std::size_t,
                           const std::uint8_t*, std::size_t, std::uint8_t, void*) {
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }

  static int frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    H2Session& session = self(user);
    if (session.ended_) return 0;
    const std::uint8_t type = frame->hd.type;
    if (type != NGHTTP2_HEADERS && type != NGHTTP2_DATA) return session.on_frame(*frame), 0;
    H2Stream* stream = session.stream(frame->hd.stream_id);
    if (type == NGHTTP2_HEADERS && stream != nullptr && session.reader_.open()) {
      session.on_head(*stream, *frame);
      session.reader_.take();
      stream = session.ended_ ? nullptr : session.stream(frame->hd.stream_id);
    }
    if (type == NGHTTP2_DATA) session.on_frame(*frame);
    const bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (stream != nullptr && ends && !session.ended_) stream->receive_end();
    return 0;
  }

  static int data(nghttp2_session* handle, std::uint8_t, std::int32_t id, const std::uint8_t* bytes,
                  std::size_t size, void* user) {
    H2Session& session = self(user);
    // One slow stream must not stop the others: what it holds is bounded by its own window.
    nghttp2_session_consume_connection(handle, size);
    if (H2Stream* stream = session.ended_ ? nullptr : session.stream(id)) {
      stream->receive_data(text(bytes, size));
    } else {
      nghttp2_session_consume_stream(handle, id, size);
    }
    return 0;
  }

  static int send_data(nghttp2_session*, nghttp2_frame*, const std::uint8_t* frame_head,
                       std::size_t size, nghttp2_data_source* source, void* user) {
    H2Session& session = self(user);
    session.out_.copy(session.context_.buffers, text(frame_head, kFrameHead));
    static_cast<H2Stream*>(source->ptr)->on_send(size, session.out_);
    return 0;
  }

  // An extension frame: its begin was told, its payload means nothing (RFC 9113 section 4.1).
  static int extension(nghttp2_session*, void**, const nghttp2_frame_hd*, void*) {
    return NGHTTP2_ERR_CANCEL;
  }

  static int sent(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (!self(user).ended_) self(user).on_frame_sent(*frame);
    return 0;
  }

  static int invalid(nghttp2_session*, const nghttp2_frame* frame, int, void* user) {
    H2Session& session = self(user);
    if (session.ended_) return 0;
    session.on_invalid_frame(*frame);
    return 0;
  }

  static int closed(nghttp2_session*, std::int32_t id, std::uint32_t code, void* user) {
    H2Session& session = self(user);
    if (H2Stream* stream = session.stream(id)) session.close_stream(*stream, code);
    return 0;
  }

  static std::unique_ptr<nghttp2_session_callbacks, FreeCallbacks> make() {
    nghttp2_session_callbacks* out = nullptr;
    WEIR_CHECK(nghttp2_session_callbacks_new(&out) == 0);
    nghttp2_session_callbacks_set_on_begin_frame_callback(out, &begins_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(out, &begins_section);
    nghttp2_session_callbacks_set_on_header_callback(out, &field);
    nghttp2_session_callbacks_set_on_invalid_header_callback(out, &invalid_field);
    nghttp2_session_callbacks_set_on_frame_recv_callback(out, &frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(out, &data);
    nghttp2_session_callbacks_set_send_data_callback(out, &send_data);
    nghttp2_session_callbacks_set_unpack_extension_callback(out, &extension);
    nghttp2_session_callbacks_set_on_frame_send_callback(out, &sent);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(out, &invalid);
    nghttp2_session_callbacks_set_on_stream_close_callback(out, &closed);
    return std::unique_ptr<nghttp2_session_callbacks, FreeCallbacks>(out);
  }
};

H2Session::H2Session(SessionContext context, ByteStream& wire, const Options& options)
    : context_(context), wire_(wire), memory_(context.buffers.budget()) {
  WEIR_CHECK(context_.loop != nullptr);
  start(options);
}

H2Session::~H2Session() {
  context_.loop->flush_cancel(*this);
  context_.buffers.budget().release(streams_.size() * sizeof(H2Stream));
}

void H2Session::start(const Options& options) {
  // The same for every session of the process; never changed.
  static const auto callbacks = Callbacks::make();
  nghttp2_option* made = nullptr;
  WEIR_CHECK(nghttp2_option_new(&made) == 0);
  const std::unique_ptr<nghttp2_option, FreeOption> option(made);
  nghttp2_option_set_no_auto_window_update(made, 1);
  nghttp2_option_set_no_closed_streams(made, 1);
  // nghttp2 tells the begin only of frames that it is to read, and a flood of others costs as well.
  for (unsigned type = kFirstExtension; type <= 0xff; ++type) {
    nghttp2_option_set_user_recv_extension_type(made, static_cast<std::uint8_t>(type));
  }
  nghttp2_session* session = nullptr;
  const bool is_server = options.role == Role::kServer;
  const int rv =
      is_server
          ? nghttp2_session_server_new3(&session, callbacks.get(), this, made, memory_.allocator())
          : nghttp2_session_client_new3(&session, callbacks.get(), this, made, memory_.allocator());
  WEIR_CHECK(rv == 0);
  session_.reset(session);
  std::array<nghttp2_settings_entry, 5> entries;
  std::size_t count = 0;
  const auto set = [&](std::int32_t id, std::size_t value) {
    entries[count++] = {id, static_cast<std::uint32_t>(value)};
  };
  set(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, options.stream_window);
  set(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, context_.limits.head_bytes);
  if (is_server) set(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, options.max_streams);
  if (!is_server) set(NGHTTP2_SETTINGS_ENABLE_PUSH, 0);
  if (options.connect_protocol) set(NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1);
  WEIR_CHECK(nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, entries.data(), count) == 0);
  WEIR_CHECK(nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0,
                                                   options.connection_window) == 0);
  wake();
}

void H2Session::receive(std::string_view bytes) {
  if (ended_ || broken_ || inside_) return;
  inside_ = true;
  const ssize_t taken = nghttp2_session_mem_recv(
      session_.get(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  inside_ = false;
  if (taken < 0 && !ended_) {
    // Beyond what the protocol's own GOAWAY covers: a flood, or no HTTP/2 at all.
    nghttp2_session_terminate_session(session_.get(), taken == NGHTTP2_ERR_BAD_CLIENT_MAGIC
                                                          ? NGHTTP2_PROTOCOL_ERROR
                                                          : NGHTTP2_ENHANCE_YOUR_CALM);
    broken_ = true;
  }
  if (ended_) return;
  tell_writable();
  if (broken_) return flush();
  wake();
}

void H2Session::wake() {
  if (!ended_) context_.loop->flush_later(*this);
}

bool H2Session::can_pump() const {
  return !inside_ && !ended_ && wire_.queued() + out_.bytes() <= MessageStream::kHighMark;
}

void H2Session::pump() {
  if (!can_pump()) return;
  inside_ = true;
  make_frames();
  inside_ = false;
  tell_writable();
}

// What is over the mark is over the wire's mark too once it is written, so that the wire says when
// it has drained.
void H2Session::make_frames() {
  while (wire_.queued() + out_.bytes() <= MessageStream::kHighMark) {
    const std::uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_.get(), &bytes);
    if (size < 0) broken_ = true;
    if (size <= 0) return;
    out_.copy(context_.buffers, text(bytes, static_cast<std::size_t>(size)));
  }
}

void H2Session::flush() {
  if (ended_) return;
  pump();
  if (ended_) return;
  while (!out_.empty()) wire_.write(out_.pop(out_.bytes()));
  trim();
  settle();
}

void H2Session::settle() {
  if (ended_ || inside_) return;
  const bool is_over = nghttp2_session_want_read(session_.get()) == 0 &&
                       nghttp2_session_want_write(session_.get()) == 0;
  if (!broken_ && !is_over) return;
  ended_ = true;
  fail_all({base::ErrorKind::kProtocol, base::Origin::kSelf, false,
            "the HTTP/2 connection was ended by an error"});
  over();
}

void H2Session::note_writable(H2Stream& stream) {
  if (stream.writable_queued_) return;
  stream.writable_queued_ = true;
  writable_.push_back(&stream);
}

void H2Session::tell_writable() {
  if (telling_) return;
  telling_ = true;
  while (!writable_.empty()) {
    H2Stream* const stream = writable_.back();
    writable_.pop_back();
    stream->writable_queued_ = false;
    if (stream->target_ != nullptr && !ended_) stream->target_->on_writable();
  }
  telling_ = false;
}

H2Stream& H2Session::take_stream(std::int32_t id) {
  if (free_.empty()) {
    streams_.push_back(std::make_unique<H2Stream>(*this));
    context_.buffers.budget().charge(sizeof(H2Stream));
    free_.push_back(streams_.back().get());
  }
  H2Stream* const stream = free_.back();
  free_.pop_back();
  stream->open(id);
  open_.push_back(stream);
  if (id != 0) nghttp2_session_set_stream_user_data(session_.get(), id, stream);
  return *stream;
}

H2Stream* H2Session::stream(std::int32_t id) {
  return static_cast<H2Stream*>(nghttp2_session_get_stream_user_data(session_.get(), id));
}

void H2Session::submit_reset(H2Stream& stream, std::uint32_t code) {
  stream.local_ended_ = true;
  stream.drop_output();
  stream.trailers_out_.reset();
  if (ended_ || stream.closed_) return;
  nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, stream.id_, code);
  wake();
}

base::Error H2Session::closed_error(const H2Stream&, std::uint32_t code) const {
  const bool is_refused = code == NGHTTP2_REFUSED_STREAM;
  return {code == NGHTTP2_PROTOCOL_ERROR ? base::ErrorKind::kProtocol : base::ErrorKind::kClosed,
          base::Origin::kSelf, is_refused,
          std::string("HTTP/2 stream reset: ") + nghttp2_http2_strerror(code)};
}

void H2Session::fail_all(const base::Error& error) {
  // A target that is told may end others.
  for (std::size_t i = 0; i < open_.size(); ++i) open_[i]->fail(told(*open_[i], error));
}

void H2Session::on_delivered(H2Stream& stream) {
  on_remote_end(stream);
  if (stream.closed_) free_stream(stream);
}

void H2Session::close_stream(H2Stream& stream, std::uint32_t code) {
  nghttp2_session_set_stream_user_data(session_.get(), stream.id_, nullptr);
  stream.closed_ = true;
  stream.local_ended_ = true;
  const bool has_all = stream.remote_ended_ && code == NGHTTP2_NO_ERROR;
  // A paused target still takes the rest of a message that has come whole.
  if (stream.target_ != nullptr && has_all && !stream.told_end_) {
    stream.drop_output();
    return;
  }
  if (!ended_) stream.fail(closed_error(stream, code));
  on_stream_closed(stream, code);
  free_stream(stream);
}

void H2Session::free_stream(H2Stream& stream) {
  if (stream.writable_queued_) {
    stream.writable_queued_ = false;
    std::erase(writable_, &stream);
  }
  stream.drop_output();
  stream.in_.clear();
  stream.trailers_in_.reset();
  stream.trailers_out_.reset();
  stream.target_ = nullptr;
  stream.id_ = 0;
  std::erase(open_, &stream);
  free_.push_back(&stream);
}

// Not when a stream ends: its own method may be on the call stack then.
void H2Session::trim() {
  if (!open_.empty() || streams_.size() <= kMostFree) return;
  free_.clear();
  context_.buffers.budget().release((streams_.size() - kMostFree) * sizeof(H2Stream));
  streams_.resize(kMostFree);
  for (const auto& stream : streams_) free_.push_back(stream.get());
}

}  // namespace weir::codec
