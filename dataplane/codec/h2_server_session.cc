#include "dataplane/codec/h2_server_session.h"

#include <algorithm>
#include <array>
#include <utility>

namespace weir::codec {
namespace {

constexpr auto kDrainRound = std::chrono::seconds(1);
constexpr std::array<std::uint8_t, 8> kDrainPing = {'w', 'e', 'i', 'r', 'd', 'o', 'n', 'e'};
// Heads that open streams may hold together: decoded, they may be far larger than what was sent.
constexpr std::size_t kMostHeads = 512 * 1024;
// Response bytes that may wait for a client that opens no window at all.
constexpr std::size_t kMostUnwanted = 2 * 1024 * 1024;

bool is_request(const nghttp2_frame& frame) {
  return frame.hd.type == NGHTTP2_HEADERS && frame.headers.cat == NGHTTP2_HCAT_REQUEST;
}

// Resets that the client has brought about; others are ours.
bool is_clients_fault(std::uint32_t code) {
  return code != NGHTTP2_NO_ERROR && code != NGHTTP2_INTERNAL_ERROR && code != NGHTTP2_CANCEL;
}

std::uint32_t reset_code(const base::Error& error) {
  if (error.kind == base::ErrorKind::kOverloaded) return NGHTTP2_REFUSED_STREAM;
  return error.origin == base::Origin::kClient ? NGHTTP2_CANCEL : NGHTTP2_INTERNAL_ERROR;
}

}  // namespace

std::unique_ptr<ServerSession> make_h2_server(SessionContext context, ByteStream& wire,
                                              ServerTarget& target,
                                              const H2ServerOptions& options) {
  return std::make_unique<H2ServerSession>(context, wire, target, options);
}

H2ServerSession::H2ServerSession(SessionContext context, ByteStream& wire, ServerTarget& server,
                                 const H2ServerOptions& options)
    : H2Session(
          context, wire,
          Options{
              .role = Role::kServer, .max_streams = options.max_streams, .connect_protocol = true}),
      server_(server),
      options_(options),
      timer_(context.loop->timers(), *this) {}

H2ServerSession::~H2ServerSession() = default;

void H2ServerSession::on_bytes(std::string_view bytes) {
  while (!bytes.empty() && !ended()) {
    const std::size_t part = walk_.to_data(bytes);
    if (part > 0) receive(bytes.substr(0, part));
    bytes.remove_prefix(part);
    if (!bytes.empty() && walk_.at_data() && !ended()) judge_data(walk_.stream(bytes.front()));
  }
}

void H2ServerSession::on_read_closed() {
  read_closed_ = true;
  wake();
}

void H2ServerSession::on_lost(const base::Error& error) {
  if (ended()) return;
  end();
  timer_.cancel();
  fail_all(error);
}

SessionPhase H2ServerSession::phase() const {
  const bool is_busy = std::any_of(streams().begin(), streams().end(), [](const H2Stream* stream) {
    return stream->head_received() && !stream->local_ended();
  });
  if (is_busy) return SessionPhase::kBusy;
  return began_ && !in_section_ ? SessionPhase::kIdle : SessionPhase::kReadingHead;
}

void H2ServerSession::flush() {
  H2Session::flush();
  if (ended()) return;
  shed();
  if (read_closed_ && streams().empty()) {
    end();
    return over();
  }
  watch();
}

void H2ServerSession::over() {
  timer_.cancel();
  server_.on_session_end();
}

// --- What the client sends

void H2ServerSession::charge(std::int32_t points) { abuse_.add(points, now()); }

bool H2ServerSession::on_frame_begins(const nghttp2_frame_hd& frame) {
  began_ = true;
  if (const std::int32_t cost = H2Abuse::cost_of(frame); cost > 0) charge(cost);
  if (frame.type == NGHTTP2_HEADERS) judge_headers(frame.stream_id);
  return !abuse_.is_too_much();
}

// What nghttp2 passes over in silence: HEADERS and DATA on streams that the client itself has
// closed or passed over (RFC 9113 section 5.1). Such a connection ends.
void H2ServerSession::judge_headers(std::int32_t id) {
  if (past_.opens(id)) return;
  const H2PastStreams::State state = past_.state_of(id);
  if (state == H2PastStreams::State::kOther) return;
  const bool is_closed = state == H2PastStreams::State::kClosedByClient;
  nghttp2_session_terminate_session(handle(),
                                    is_closed ? NGHTTP2_STREAM_CLOSED : NGHTTP2_PROTOCOL_ERROR);
}

void H2ServerSession::judge_data(std::int32_t id) {
  if (past_.state_of(id) != H2PastStreams::State::kClosedByClient) return;
  nghttp2_session_terminate_session(handle(), NGHTTP2_STREAM_CLOSED);
}

H2FieldReader::Kind H2ServerSession::section_kind(const nghttp2_frame& frame) {
  return is_request(frame) ? H2FieldReader::Kind::kRequest : H2FieldReader::Kind::kTrailers;
}

bool H2ServerSession::on_section(const nghttp2_frame& frame) {
  in_section_ = true;
  section_since_ = now();
  if (!is_request(frame)) return true;
  if (heads_ > kMostHeads || drained_) return false;
  take_stream(frame.hd.stream_id);
  return true;
}

void H2ServerSession::on_head(H2Stream& stream, const nghttp2_frame& frame) {
  in_section_ = false;
  if (is_request(frame)) {
    return start_request(stream, (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0);
  }
  const Refusal refusal = reader().finish();
  HeadPtr trailers = reader().take();
  if (!refusal) return stream.receive_trailers(std::move(trailers));
  charge(H2Abuse::kRefused);
  stream.fail(to_error(refusal, base::Origin::kClient));
  submit_reset(stream, NGHTTP2_ENHANCE_YOUR_CALM);
}

void H2ServerSession::start_request(H2Stream& stream, bool ends) {
  stream.set_head_received();
  last_whole_ = stream.id();
  const Refusal refusal = reader().finish();
  HeadPtr head = reader().take();
  stream.head_bytes = head->capacity();
  heads_ += stream.head_bytes;
  if (head->method() == "HEAD") stream.mark |= kAnswersHead;
  if (refusal) return refuse(stream, refusal, head.get());
  MessageTarget& target = server_.on_request(stream);
  if (ended()) return;
  stream.set_target(&target);
  if (head->method() == "CONNECT") return ask_tunnel(stream, std::move(head));
  BodyLength length = ends ? BodyLength::none() : BodyLength::unknown();
  const auto announced = h2_content_length(*head);
  if (!ends && announced.value_or(0) > 0) length = BodyLength::known(*announced);
  target.on_head(std::move(head), length);
}

void H2ServerSession::refuse(H2Stream& stream, const Refusal& refusal, const Head* head) {
  charge(H2Abuse::kRefused);
  server_.on_bad_request(stream, refusal.status, to_error(refusal, base::Origin::kClient), head);
}

void H2ServerSession::on_frame(const nghttp2_frame& frame) {
  if (frame.hd.type == NGHTTP2_RST_STREAM) past_.close(frame.hd.stream_id);
  const bool is_drain_ack =
      frame.hd.type == NGHTTP2_PING && (frame.hd.flags & NGHTTP2_FLAG_ACK) != 0 &&
      std::equal(kDrainPing.begin(), kDrainPing.end(), std::begin(frame.ping.opaque_data));
  if (is_drain_ack) finish_drain();
}

// --- What is sent to the client

void H2ServerSession::reset_stream(H2Stream& stream, const base::Error& error) {
  stream.let_target_go();
  submit_reset(stream, reset_code(error));
}

void H2ServerSession::on_local_end(H2Stream& stream) {
  stream.let_target_go();
  abuse_.add(H2Abuse::kAnswered, now());
}

void H2ServerSession::on_frame_sent(const nghttp2_frame& frame) {
  if (frame.hd.type == NGHTTP2_DATA) abuse_.add(H2Abuse::kDataSent, now());
  if (frame.hd.type == NGHTTP2_RST_STREAM && is_clients_fault(frame.rst_stream.error_code)) {
    charge(H2Abuse::kReset);
  }
  const bool may_end = frame.hd.type == NGHTTP2_DATA || frame.hd.type == NGHTTP2_HEADERS;
  if (!may_end || (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return;
  H2Stream* const answered = stream(frame.hd.stream_id);
  // Nobody wants the rest of the request (RFC 9113 section 8.1).
  if (answered != nullptr && !answered->remote_ended()) submit_reset(*answered, NGHTTP2_NO_ERROR);
}

void H2ServerSession::on_stream_closed(H2Stream& stream, std::uint32_t) {
  if (stream.remote_ended()) past_.close(stream.id());
  heads_ -= std::exchange(stream.head_bytes, 0);
}

// --- Drain

void H2ServerSession::start_drain() {
  if (draining_ || ended()) return;
  draining_ = true;
  drain_since_ = now();
  nghttp2_submit_shutdown_notice(handle());
  nghttp2_submit_ping(handle(), NGHTTP2_FLAG_NONE, kDrainPing.data());
  wake();
}

void H2ServerSession::finish_drain() {
  if (!draining_ || drained_ || ended()) return;
  drained_ = true;
  nghttp2_submit_goaway(handle(), NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(handle()), NGHTTP2_NO_ERROR,
                        nullptr, 0);
  wake();
}

// --- Time

bool H2ServerSession::on_head_late() {
  if (ended() || std::exchange(late_, true)) return false;
  end_late();
  return true;
}

// GOAWAY names the last request that was whole: what the client had begun it may try elsewhere.
void H2ServerSession::end_late() {
  nghttp2_session_terminate_session2(handle(), last_whole_,
                                     in_section_ ? NGHTTP2_ENHANCE_YOUR_CALM : NGHTTP2_NO_ERROR);
  wake();
}

// A client that gives no window at all for much that it has asked for.
void H2ServerSession::shed() {
  if (waiting() <= kMostUnwanted) return;
  for (std::size_t i = streams().size(); i-- > 0 && waiting() > kMostUnwanted;) {
    H2Stream& stream = *streams()[i];
    const bool is_shut = stream.waits_for_window() && stream.sent_bytes() == 0 &&
                         nghttp2_session_get_stream_remote_window_size(handle(), stream.id()) <= 0;
    if (!is_shut) continue;
    charge(H2Abuse::kRefused);
    stream.fail({base::ErrorKind::kClosed, base::Origin::kClient, false,
                 "the client opens no window for what it asked for"});
    submit_reset(stream, NGHTTP2_ENHANCE_YOUR_CALM);
  }
}

void H2ServerSession::watch() {
  base::TimePoint due = base::TimePoint::max();
  if (in_section_) due = std::min(due, section_since_ + options_.head_deadline);
  if (draining_ && !drained_) due = std::min(due, drain_since_ + kDrainRound);
  if (waiting() > 0 || wire().queued() > 0) {
    if (streams_watched_ == base::TimePoint{}) streams_watched_ = now();
    due = std::min(due, streams_watched_ + options_.stall_deadline / 2);
  } else {
    streams_watched_ = {};
  }
  if (due == base::TimePoint::max()) return;
  if (!timer_.armed() || due < timer_.deadline()) timer_.arm(due);
}

void H2ServerSession::on_timer() {
  if (ended()) return;
  const base::TimePoint at = now();
  if (in_section_ && at >= section_since_ + options_.head_deadline) return end_late();
  if (draining_ && !drained_ && at >= drain_since_ + kDrainRound) finish_drain();
  if (streams_watched_ != base::TimePoint{} &&
      at >= streams_watched_ + options_.stall_deadline / 2) {
    watch_streams(at);
  }
  wake();
}

// Who has moved nothing over two looks finds no window.
void H2ServerSession::watch_streams(base::TimePoint at) {
  streams_watched_ = at;
  const std::size_t in_wire = wire().queued();
  if (in_wire > 0 && std::exchange(wire_stuck_at_, in_wire) == in_wire) {
    on_lost({base::ErrorKind::kTimeout, base::Origin::kClient, false,
             "the client took no byte in time"});
    return over();
  }
  wire_stuck_at_ = in_wire;
  if (in_wire > 0) return;  // slow, but alive
  for (std::size_t i = streams().size(); i-- > 0;) {
    H2Stream& stream = *streams()[i];
    if (!stream.waits_for_window()) continue;
    const bool is_stuck = stream.stuck_at == stream.sent_bytes() + 1;
    stream.stuck_at = stream.sent_bytes() + 1;
    if (!is_stuck) continue;
    stream.fail({base::ErrorKind::kTimeout, base::Origin::kClient, false,
                 "the client opened no window in time"});
    submit_reset(stream, NGHTTP2_CANCEL);
  }
}

}  // namespace weir::codec
