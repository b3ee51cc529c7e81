#include "dataplane/codec/h1_server.h"

#include <utility>

#include "dataplane/codec/h1.h"

namespace weir::codec {
namespace {

// Bytes of later requests that may wait behind the current one.
constexpr std::size_t kMostPipelined = 16 * 1024;
// Requests of one connection that are begun before their answers are flushed: their exchanges live
// until then. As many as benchmarks and browsers ever pipeline.
constexpr unsigned kAtOnce = 16;

}  // namespace

std::unique_ptr<ServerSession> make_h1_server(SessionContext context, ByteStream& wire,
                                              ServerTarget& target) {
  return std::make_unique<H1Server>(context, wire, target);
}

H1Server::H1Server(SessionContext context, ByteStream& wire, ServerTarget& server)
    : context_(context),
      wire_(wire),
      server_(server),
      inbox_(context.buffers),
      parser_(context_),
      writer_(context.buffers, wire) {
  parser_.start(HeadParser::Kind::kRequest);
}

H1Server::~H1Server() {
  if (yielding_) context_.loop->flush_cancel(*this);
}

void H1Server::on_bytes(std::string_view bytes) {
  if (ended_ || bytes.empty() || in_ == In::kDiscard) return;
  inbox_.receive(bytes);
  run();
}

void H1Server::on_read_closed() {
  read_closed_ = true;
  run();
}

void H1Server::on_lost(const base::Error& error) {
  if (ended_) return;
  ended_ = true;
  inbox_.clear();
  if (MessageTarget* target = std::exchange(target_, nullptr)) target->on_reset(error);
}

void H1Server::on_drained() {
  if (std::exchange(backed_up_, false)) return run();
  if (!over_high_ || target_ == nullptr) return;
  over_high_ = false;
  target_->on_writable();
}

void H1Server::start_drain() {
  draining_ = true;
  if (phase() == SessionPhase::kIdle) end_session();
}

bool H1Server::on_head_late() {
  if (ended_ || busy_ || in_ != In::kHead || (inbox_.empty() && !parser_.started())) return false;
  refuse({408, "request: the head was not complete in time"}, nullptr);
  return ended_;
}

SessionPhase H1Server::phase() const {
  if (busy_) return SessionPhase::kBusy;
  return inbox_.empty() && in_ == In::kHead ? SessionPhase::kIdle : SessionPhase::kReadingHead;
}

bool H1Server::can_park() const {
  return !running_ && phase() == SessionPhase::kIdle && blank_ == Blank::kNone &&
         !parser_.started() && !draining_ && !read_closed_ && !ended_ && !paused_ &&
         !reading_paused_;
}

void H1Server::flush() {
  yielding_ = false;
  run();
}

void H1Server::run() {
  if (running_) return;
  running_ = true;
  begun_ = 0;
  while (!ended_ && step()) {
  }
  running_ = false;
  if (ended_ || in_ == In::kDiscard) {
    inbox_.clear();
  } else {
    inbox_.settle();
  }
  after_run();
  adjust_reading();
}

// True when something was read and more may follow.
bool H1Server::step() {
  switch (in_) {
    case In::kHead:
      return !busy_ && may_start() && read_head();
    case In::kBody:
      return !paused_ && read_body();
    case In::kTunnel:
      if (paused_ || inbox_.empty()) return false;
      read_tunnel();
      return true;
    case In::kDone:
    case In::kDiscard:
      break;
  }
  return false;
}

// Answers to a client that sends on and takes nothing would pile up; so would the exchanges of a
// burst, which live until the end of the loop's iteration.
bool H1Server::may_start() {
  backed_up_ = wire_.queued() > kHighMark;
  if (backed_up_ || yielding_) return false;
  if (begun_ < kAtOnce || inbox_.empty() || context_.loop == nullptr) return true;
  yielding_ = true;
  context_.loop->flush_later(*this);
  return false;
}

// What the client's FIN means once everything before it has been read. A client may close its side
// behind a complete request and still wait for the response.
void H1Server::after_run() {
  if (ended_ || !read_closed_) return;
  if (!busy_) {
    if (!holds_back()) end_session();
  } else if (in_ == In::kBody && !paused_) {
    break_off({base::ErrorKind::kClosed, base::Origin::kClient, false,
               "request: the client closed inside the body"});
  } else if (in_ == In::kTunnel && inbox_.empty() && !told_end_ && target_ != nullptr) {
    told_end_ = true;
    target_->on_end();
  }
}

// RFC 9112 section 2.2: one empty line before a request is ignored, not more. True when a request
// may begin here.
bool H1Server::skip_blank_line() {
  if (blank_ == Blank::kNone && !inbox_.empty() && inbox_.view().front() == '\r') {
    inbox_.skip(1);
    blank_ = Blank::kCr;
  }
  if (blank_ == Blank::kCr && !inbox_.empty()) {
    if (inbox_.view().front() != '\n') {
      refuse({400, "request: a CR without LF"}, nullptr);
      return false;
    }
    inbox_.skip(1);
    blank_ = Blank::kCrLf;
  }
  return !inbox_.empty();
}

bool H1Server::read_head() {
  if (!parser_.started() && !skip_blank_line()) return false;
  switch (parser_.parse(inbox_.view())) {
    case HeadParser::Progress::kNeedMore:
      return false;
    case HeadParser::Progress::kBad: {
      const HeadPtr head = parser_.take_head(inbox_.view().substr(0, context_.limits.head_bytes));
      refuse(parser_.refusal(), head.get());
      return false;
    }
    case HeadParser::Progress::kDone:
      start_request();
      return true;
  }
  return false;
}

void H1Server::start_request() {
  HeadPtr head = parser_.take_head(inbox_.view().substr(0, parser_.size()));
  inbox_.skip(parser_.size());
  facts_ = {};
  const Refusal refusal = judge_request(*head, parser_.absolute(), facts_);
  parser_.start(HeadParser::Kind::kRequest);
  blank_ = Blank::kNone;
  if (refusal) return refuse(refusal, head.get());
  version_minor_ = static_cast<std::uint8_t>(head->version_minor());
  answers_head_ = head->method() == "HEAD";
  busy_ = true;
  ++begun_;
  head_sent_ = false;
  body_.start(facts_.framing);
  const BodyLength length = facts_.framing.length();
  const bool has_body = length.kind != BodyLength::Kind::kNone;
  in_ = has_body ? In::kBody : In::kDone;
  MessageTarget& target = server_.on_request(*this);
  if (!busy_) return;
  target_ = &target;
  target.on_head(std::move(head), length);
  if (!has_body && target_ != nullptr) target_->on_end();
}

bool H1Server::read_body() {
  switch (body_.next(inbox_, context_)) {
    case BodyReader::Event::kNeedMore:
      return false;
    case BodyReader::Event::kData: {
      worker::Slice data = inbox_.take(body_.data());
      if (target_ != nullptr) target_->on_data(std::move(data));
      return true;
    }
    case BodyReader::Event::kTrailers: {
      HeadPtr trailers = body_.take_trailers();
      if (target_ != nullptr) target_->on_trailers(std::move(trailers));
      return true;
    }
    case BodyReader::Event::kEnd:
      in_ = busy_ ? In::kDone : In::kHead;
      if (target_ != nullptr) target_->on_end();
      return true;
    case BodyReader::Event::kBad:
      refuse_body(body_.refusal());
      break;
  }
  return false;
}

void H1Server::read_tunnel() {
  worker::Slice data = inbox_.take(inbox_.size());
  if (target_ != nullptr) target_->on_data(std::move(data));
}

// The connection answers; whatever the client has sent behind is not looked at.
void H1Server::refuse(const Refusal& refusal, const Head* head) {
  in_ = In::kDiscard;
  closing_ = true;
  busy_ = true;
  head_sent_ = false;
  facts_ = {};
  version_minor_ = static_cast<std::uint8_t>(head != nullptr ? head->version_minor() : 1);
  answers_head_ = head != nullptr && head->method() == "HEAD";
  server_.on_bad_request(*this, refusal.status, to_error(refusal, base::Origin::kClient), head);
}

void H1Server::refuse_body(const Refusal& refusal) {
  const bool can_answer = target_ != nullptr && !head_sent_;
  const bool answers_head = answers_head_;
  const std::uint8_t version_minor = version_minor_;
  if (MessageTarget* target = std::exchange(target_, nullptr)) {
    target->on_reset(to_error(refusal, base::Origin::kClient));
  }
  if (!can_answer) return end_session();
  in_ = In::kDiscard;
  closing_ = true;
  paused_ = false;
  version_minor_ = version_minor;
  answers_head_ = answers_head;
  server_.on_bad_request(*this, refusal.status, to_error(refusal, base::Origin::kClient), nullptr);
}

void H1Server::reset(const base::Error& error) {
  if (!busy_) return;
  // What a client did not take in time is not kept for it any longer.
  const bool too_slow =
      error.kind == base::ErrorKind::kTimeout && error.origin == base::Origin::kClient;
  if (too_slow) wire_.drop_output();
  end_session();
}

void H1Server::pause() {
  paused_ = true;
  adjust_reading();
}

void H1Server::resume() {
  paused_ = false;
  run();
}

void H1Server::break_off(const base::Error& error) {
  if (MessageTarget* target = std::exchange(target_, nullptr)) target->on_reset(error);
  end_session();
}

void H1Server::end_session() {
  if (ended_) return;
  ended_ = true;
  // Old clients send an empty line behind a body: only a request without one is taken at its word.
  client_done_ = busy_ && in_ == In::kDone && inbox_.empty() && !facts_.keeps_connection &&
                 facts_.framing.kind == Framing::Kind::kNone;
  busy_ = false;
  target_ = nullptr;
  if (!running_) inbox_.clear();
  server_.on_session_end();
}

void H1Server::adjust_reading() {
  const bool is_full = (in_ == In::kDone || holds_back()) && inbox_.size() >= kMostPipelined;
  const bool want_paused = !ended_ && (paused_ || is_full);
  if (want_paused == reading_paused_) return;
  reading_paused_ = want_paused;
  if (want_paused) {
    wire_.pause_reading();
  } else {
    wire_.resume_reading();
  }
}

}  // namespace weir::codec
