#include "dataplane/codec/h2_client_session.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "common/base/check.h"
#include "dataplane/codec/h1_scan.h"

namespace weir::codec {
namespace {

constexpr std::int32_t kUnsent = -1;  // id of a stream whose head has not been given to nghttp2

// In H2Stream::mark: HEADERS have left, the method is HEAD, and how many interim heads have come.
constexpr std::uint32_t kSent = 1U << 31U;
constexpr std::uint32_t kIsHead = 1U << 30U;
constexpr std::uint32_t kInterims = 0xff;
constexpr std::uint32_t kMostInterims = 16;

// Frames that the peer sends without need. A legitimate one sends some for each frame of substance
// in either direction (credit, bandwidth probes by PING) and a few by the clock.
constexpr int kMostCredit = 10'000;
constexpr int kFirstCredit = 1'000;
constexpr int kCreditPerFrame = 4;
constexpr int kCreditPerSecond = 50;

constexpr std::uint32_t kStreamWindow = 256 * 1024;
constexpr std::int32_t kConnectionWindow = 1024 * 1024;

// RFC 9110 section 8.6: a method that usually brings content says so when there is none.
bool says_empty_body(const Head& head) {
  const std::string_view method = head.method();
  return method == "POST" || method == "PUT" || method == "PATCH";
}

base::Error upstream_error(base::ErrorKind kind, std::string_view text) {
  return {kind, base::Origin::kUpstream, false, std::string(text)};
}

}  // namespace

std::unique_ptr<ClientSession> make_h2_client(SessionContext context, ByteStream& wire,
                                              ClientTarget& target,
                                              const H2ClientOptions& options) {
  return std::make_unique<H2Client>(context, wire, target, options);
}

H2Session::Options H2Client::session_options() {
  Options options;
  options.role = Role::kClient;
  options.stream_window = kStreamWindow;
  options.connection_window = kConnectionWindow;
  return options;
}

H2Client::H2Client(SessionContext context, ByteStream& wire, ClientTarget& client,
                   const H2ClientOptions& options)
    : H2Session(context, wire, session_options()),
      client_(client),
      options_(options),
      refilled_(context.loop->now()),
      credit_(kFirstCredit) {}

bool H2Client::can_open() const {
  return !ended() && !leaving_ && streams().size() < most_streams() &&
         nghttp2_session_check_request_allowed(handle()) != 0;
}

std::size_t H2Client::most_streams() const {
  if (!has_settings_) return std::min(options_.max_streams, options_.first_streams);
  const std::uint32_t allowed =
      nghttp2_session_get_remote_settings(handle(), NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
  return std::min(options_.max_streams, allowed);
}

MessageStream& H2Client::open(MessageTarget& target) {
  WEIR_CHECK(can_open());
  H2Stream& stream = take_stream(kUnsent);
  stream.set_target(&target);
  return stream;
}

void H2Client::submit_head(H2Stream& stream, const Head& head, BodyLength length) {
  H2FieldList& fields = h2_scratch_fields();
  fields.add_literal(":method", head.method());
  fields.add_literal(":scheme", options_.tls ? "https" : "http");
  fields.add_literal(":authority", head.authority());
  fields.add_literal(":path", head.target());
  fields.add_fields(head);
  if (same_name(head.find(FieldId::kTe).value_or(""), "trailers")) {
    fields.add_literal("te", "trailers");
  }
  const bool has_body = length.kind != BodyLength::Kind::kNone;
  if (length.kind == BodyLength::Kind::kKnown || (!has_body && says_empty_body(head))) {
    fields.add_length(length.bytes);
  }
  if (head.method() == "HEAD") stream.mark |= kIsHead;
  const nghttp2_data_provider provider = stream.provider();
  const std::int32_t id = nghttp2_submit_request(handle(), nullptr, fields.data(), fields.size(),
                                                 has_body ? &provider : nullptr, &stream);
  if (id > 0) return stream.set_id(id);
  // Ids have run out: no byte has left.
  leaving_ = true;
  stream.fail(told(stream, upstream_error(base::ErrorKind::kClosed, "no HTTP/2 stream is left")));
  release(stream);
  note_room();
}

// The target has the whole response. What it still had to send nobody wants.
void H2Client::on_remote_end(H2Stream& stream) {
  const bool is_open = !stream.local_ended();
  stream.let_target_go();
  if (is_open) submit_reset(stream, NGHTTP2_CANCEL);
  note_room();
}

void H2Client::reset_stream(H2Stream& stream, const base::Error&) {
  stream.let_target_go();
  note_room();
  if (stream.id() == kUnsent) return release(stream);
  submit_reset(stream, NGHTTP2_CANCEL);
}

void H2Client::on_read_closed() {
  end_with(upstream_error(base::ErrorKind::kClosed, "closed by the endpoint"));
  if (!ended()) return;
  client_.on_session_end();
}

void H2Client::on_lost(const base::Error& error) { end_with(error); }

void H2Client::end_with(const base::Error& error) {
  if (ended()) return;
  end();
  fail_all(error);
}

void H2Client::flush() {
  H2Session::flush();
  if (ended() || !std::exchange(room_changed_, false)) return;
  client_.on_stream_over();
}

// Told at the end of the iteration: a stream's own event may be on the call stack.
void H2Client::note_room() {
  room_changed_ = true;
  wake();
}

H2FieldReader::Kind H2Client::section_kind(const nghttp2_frame& frame) {
  const H2Stream* known = stream(frame.hd.stream_id);
  const bool is_trailers = known != nullptr && known->head_received();
  return is_trailers ? H2FieldReader::Kind::kTrailers : H2FieldReader::Kind::kResponse;
}

void H2Client::on_head(H2Stream& stream, const nghttp2_frame& frame) {
  const bool is_trailers = stream.head_received();
  const Refusal refusal = reader().finish();
  HeadPtr head = reader().take();
  if (refusal) return refuse_response(stream, refusal.text);
  if (is_trailers) return stream.receive_trailers(std::move(head));
  if (head->status() < 200) return read_interim(stream, std::move(head));
  stream.set_head_received();
  const auto declared = h2_content_length(*head);
  BodyLength length = declared ? BodyLength::known(*declared) : BodyLength::unknown();
  // The length of these speaks of a body that does not come.
  const bool is_bodiless =
      (stream.mark & kIsHead) != 0 || head->status() == 204 || head->status() == 304;
  const bool has_ended = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  if (is_bodiless || has_ended) length = BodyLength::none();
  if (MessageTarget* target = stream.target()) target->on_head(std::move(head), length);
}

void H2Client::read_interim(H2Stream& stream, HeadPtr head) {
  if (head->status() == 101) return refuse_response(stream, "response: 101 is not of HTTP/2");
  if ((++stream.mark & kInterims) > kMostInterims) {
    return refuse_response(stream, "response: more than 16 interim heads");
  }
  if (MessageTarget* target = stream.target()) target->on_interim(std::move(head));
}

void H2Client::refuse_response(H2Stream& stream, std::string_view text) {
  submit_reset(stream, NGHTTP2_PROTOCOL_ERROR);
  stream.fail(upstream_error(base::ErrorKind::kProtocol, text));
}

void H2Client::on_frame(const nghttp2_frame& frame) {
  if (frame.hd.type == NGHTTP2_SETTINGS && (frame.hd.flags & NGHTTP2_FLAG_ACK) == 0) {
    has_settings_ = true;
    // At once: who comes before the end of the iteration must find the room.
    client_.on_stream_over();
    wake();
  }
  if (frame.hd.type != NGHTTP2_GOAWAY) return;
  leaving_ = true;
  client_.on_stream_over();  // at once: nobody may pick this connection any more
  wake();
}

bool H2Client::on_frame_begins(const nghttp2_frame_hd& hd) {
  const bool is_substance =
      hd.type == NGHTTP2_HEADERS || (hd.type == NGHTTP2_DATA && hd.length > 0);
  spend(is_substance ? -kCreditPerFrame : 1);
  // Forbidden by our first frame, whether its acknowledgement has come or not.
  if (hd.type == NGHTTP2_PUSH_PROMISE) {
    nghttp2_session_terminate_session(handle(), NGHTTP2_PROTOCOL_ERROR);
  }
  return true;
}

void H2Client::spend(int price) {
  credit_ = std::min(credit_ - price, kMostCredit);
  if (credit_ > 0) return;
  const base::TimePoint now = context().loop->now();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - refilled_).count();
  refilled_ = now;
  credit_ = static_cast<int>(std::min<std::int64_t>(seconds * kCreditPerSecond, kMostCredit));
  if (credit_ > 0) return;
  nghttp2_session_terminate_session(handle(), NGHTTP2_ENHANCE_YOUR_CALM);
}

void H2Client::on_frame_sent(const nghttp2_frame& frame) {
  if (frame.hd.type == NGHTTP2_DATA) spend(-kCreditPerFrame);
  if (frame.hd.type != NGHTTP2_HEADERS) return;
  spend(-kCreditPerFrame);
  if (H2Stream* sent = stream(frame.hd.stream_id)) sent->mark |= kSent;
}

void H2Client::on_stream_closed(H2Stream&, std::uint32_t) { note_room(); }

base::Error H2Client::closed_error(const H2Stream& stream, std::uint32_t code) const {
  base::Error error =
      upstream_error(base::ErrorKind::kProtocol,
                     std::string("the endpoint reset the stream: ") + nghttp2_http2_strerror(code));
  if (code == NGHTTP2_REFUSED_STREAM && !stream.head_received()) {
    error.kind = base::ErrorKind::kClosed;
    error.retryable = true;
  }
  return told(stream, std::move(error));
}

base::Error H2Client::told(const H2Stream& stream, base::Error error) const {
  error.origin = base::Origin::kUpstream;
  if ((stream.mark & kSent) == 0) {
    error.retryable = true;
    return error;
  }
  if (!has_settings_) error.text = "the endpoint does not speak HTTP/2: " + error.text;
  const bool is_close =
      error.kind == base::ErrorKind::kClosed || error.kind == base::ErrorKind::kSystem;
  if (is_close && stream.head_received()) error.kind = base::ErrorKind::kProtocol;
  return error;
}

void H2Client::over() { client_.on_session_end(); }

}  // namespace weir::codec
