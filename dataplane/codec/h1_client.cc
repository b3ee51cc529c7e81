#include "dataplane/codec/h1_client.h"

#include <string>
#include <utility>

#include "common/base/check.h"
#include "dataplane/codec/h1.h"
#include "dataplane/codec/h1_scan.h"
#include "dataplane/codec/h1_serialize.h"

namespace weir::codec {
namespace {

constexpr int kMostInterims = 16;  // 1xx heads before one response

using Body = ConnectionFields::Body;

// RFC 9110 section 8.6: a method that usually brings content says so when there is none.
bool says_empty_body(const Head& head) {
  const std::string_view method = head.method();
  return method == "POST" || method == "PUT" || method == "PATCH" ||
         head.find(FieldId::kContentLength).has_value();
}

}  // namespace

std::unique_ptr<ClientSession> make_h1_client(SessionContext context, ByteStream& wire,
                                              ClientTarget& target) {
  return std::make_unique<H1Client>(context, wire, target);
}

H1Client::H1Client(SessionContext context, ByteStream& wire, ClientTarget& client)
    : context_(context),
      wire_(wire),
      client_(client),
      inbox_(context.buffers),
      parser_(context_),
      writer_(context.buffers, wire) {}

MessageStream& H1Client::open(MessageTarget& target) {
  WEIR_CHECK(can_open());
  target_ = &target;
  busy_ = true;
  wrote_ = request_ended_ = got_bytes_ = is_head_request_ = asked_upgrade_ = false;
  keeps_connection_ = told_end_ = over_high_ = false;
  interims_ = 0;
  in_ = In::kHead;
  parser_.start(HeadParser::Kind::kResponse);
  return *this;
}

void H1Client::on_bytes(std::string_view bytes) {
  if (ended_ || bytes.empty()) return;
  if (target_ == nullptr) return end_session();
  inbox_.receive(bytes);
  run();
}

void H1Client::on_read_closed() {
  if (ended_) return;
  read_closed_ = true;
  if (target_ == nullptr) return end_session();
  run();
}

void H1Client::on_lost(const base::Error& error) {
  if (ended_) return;
  base::Error lost = error;
  const bool is_close =
      lost.kind == base::ErrorKind::kClosed || lost.kind == base::ErrorKind::kSystem;
  if (is_close) lost.kind = got_bytes_ ? base::ErrorKind::kProtocol : base::ErrorKind::kClosed;
  lost.retryable = !wrote_;
  ended_ = true;
  inbox_.clear();
  if (MessageTarget* target = std::exchange(target_, nullptr)) target->on_reset(lost);
}

void H1Client::on_drained() {
  if (!over_high_ || target_ == nullptr) return;
  over_high_ = false;
  target_->on_writable();
}

void H1Client::send_head(const Head& head, BodyLength length) {
  if (target_ == nullptr || wrote_) return;
  ConnectionFields fields;
  is_head_request_ = head.method() == "HEAD";
  fields.upgrade = head.find(FieldId::kUpgrade).value_or("");
  asked_upgrade_ = !fields.upgrade.empty();
  fields.trailers = same_name(head.find(FieldId::kTe).value_or(""), "trailers");
  BodyWriter::Mode mode = BodyWriter::Mode::kNothing;
  if (length.kind == BodyLength::Kind::kUnknown) {
    fields.body = Body::kChunked;
    mode = BodyWriter::Mode::kChunked;
  } else if (length.kind == BodyLength::Kind::kKnown || says_empty_body(head)) {
    fields.body = Body::kLength;
    fields.length = length.bytes;
    mode = BodyWriter::Mode::kKnown;
  }
  writer_.start(mode, length.bytes);
  wrote_ = true;
  request_ended_ = length.kind == BodyLength::Kind::kNone;
  wire_.write(serialize_request(context_.buffers, head, fields));
}

void H1Client::send_data(worker::Slice data) {
  const bool may_send = in_ == In::kTunnel || (wrote_ && !request_ended_);
  if (target_ == nullptr || !may_send) return;
  if (!writer_.send(std::move(data))) {
    fail({base::ErrorKind::kInvalid, base::Origin::kSelf, false,
          "request: more body than its head announced"});
    return;
  }
  over_high_ = over_high_ || wire_.queued() > kHighMark;
}

void H1Client::end_message(const Head* trailers) {
  if (target_ == nullptr || !wrote_) return;
  if (in_ == In::kTunnel) {
    target_ = nullptr;
    return end_session();
  }
  if (request_ended_) return;
  request_ended_ = true;
  if (!writer_.end(trailers)) {
    fail({base::ErrorKind::kInvalid, base::Origin::kSelf, false,
          "request: less body than its head announced"});
  }
}

void H1Client::reset(const base::Error&) {
  if (target_ == nullptr) return;
  target_ = nullptr;
  if (wrote_ || got_bytes_ || read_closed_) return end_session();
  busy_ = false;
  paused_ = false;
  adjust_reading();
  client_.on_stream_over();
}

void H1Client::pause() {
  if (target_ == nullptr) return;
  paused_ = true;
  adjust_reading();
}

void H1Client::resume() {
  if (target_ == nullptr) return;
  paused_ = false;
  run();
}

void H1Client::run() {
  if (running_) return;
  running_ = true;
  while (!ended_ && target_ != nullptr && !paused_ && step()) {
  }
  running_ = false;
  if (ended_ || target_ == nullptr) {
    inbox_.clear();
  } else {
    inbox_.settle();
  }
  after_run();
  adjust_reading();
}

// True when something was read and more may follow.
bool H1Client::step() {
  if (in_ == In::kHead) return !inbox_.empty() && read_head();
  if (in_ == In::kBody) return read_body();
  if (inbox_.empty()) return false;
  target_->on_data(inbox_.take(inbox_.size()));
  return true;
}

// What the upstream's FIN means once everything before it has been read.
void H1Client::after_run() {
  if (ended_ || !read_closed_ || paused_ || target_ == nullptr) return;
  switch (in_) {
    case In::kHead:
      if (got_bytes_) return fail(base::ErrorKind::kProtocol, "response: closed inside the head");
      return fail(base::ErrorKind::kClosed, "response: closed before the first byte");
    case In::kBody:
      if (body_.is_until_close()) return finish_response();
      return fail(base::ErrorKind::kProtocol, "response: closed inside the body");
    case In::kTunnel:
      if (std::exchange(told_end_, true)) return;
      target_->on_end();
      return;
  }
}

bool H1Client::read_head() {
  got_bytes_ = true;
  if (!wrote_) {
    fail(base::ErrorKind::kProtocol, "response: came before the request");
    return false;
  }
  switch (parser_.parse(inbox_.view())) {
    case HeadParser::Progress::kNeedMore:
      return false;
    case HeadParser::Progress::kBad:
      fail(to_error(parser_.refusal(), base::Origin::kUpstream));
      return false;
    case HeadParser::Progress::kDone:
      break;
  }
  HeadPtr head = parser_.take_head(inbox_.view().substr(0, parser_.size()));
  inbox_.skip(parser_.size());
  return start_response(std::move(head));
}

bool H1Client::start_response(HeadPtr head) {
  HeadFacts facts;
  if (const Refusal refusal = judge_response(*head, is_head_request_, facts)) {
    fail(to_error(refusal, base::Origin::kUpstream));
    return false;
  }
  if (head->status() < 200) return read_interim(std::move(head), facts);
  // A body behind a head that must have none would be read as the next response.
  keeps_connection_ = facts.keeps_connection && !facts.is_suspect;
  body_.start(facts.framing);
  in_ = In::kBody;
  target_->on_head(std::move(head), facts.framing.length());
  return true;
}

bool H1Client::read_interim(HeadPtr head, const HeadFacts& facts) {
  if (facts.is_suspect) {
    fail(base::ErrorKind::kProtocol, "response: an interim head that announces a body");
    return false;
  }
  if (head->status() == 101) {
    if (!asked_upgrade_ || !request_ended_ || !facts.asks_upgrade) {
      fail(base::ErrorKind::kProtocol, "response: 101 that no complete request asked for");
      return false;
    }
    in_ = In::kTunnel;
    writer_.start(BodyWriter::Mode::kRaw);
    target_->on_head(std::move(head), BodyLength::unknown());
    return true;
  }
  if (++interims_ > kMostInterims) {
    fail(base::ErrorKind::kProtocol, "response: more than 16 interim heads");
    return false;
  }
  parser_.start(HeadParser::Kind::kResponse);
  target_->on_interim(std::move(head));
  return true;
}

bool H1Client::read_body() {
  switch (body_.next(inbox_, context_)) {
    case BodyReader::Event::kNeedMore:
      return false;
    case BodyReader::Event::kData:
      target_->on_data(inbox_.take(body_.data()));
      return true;
    case BodyReader::Event::kTrailers:
      target_->on_trailers(body_.take_trailers());
      return true;
    case BodyReader::Event::kEnd:
      finish_response();
      return false;
    case BodyReader::Event::kBad:
      fail(to_error(body_.refusal(), base::Origin::kUpstream));
      break;
  }
  return false;
}

// can_open() stays false until the target knows that its exchange has ended.
void H1Client::finish_response() {
  const bool reuse = keeps_connection_ && request_ended_ && inbox_.empty() && !read_closed_;
  std::exchange(target_, nullptr)->on_end();
  if (ended_) return;
  if (!reuse) return end_session();
  busy_ = false;
  paused_ = false;
  client_.on_stream_over();
}

void H1Client::fail(base::ErrorKind kind, std::string_view text) {
  fail({kind, base::Origin::kUpstream, false, std::string(text)});
}

void H1Client::fail(base::Error error) {
  if (ended_) return;
  ended_ = true;
  error.retryable = !wrote_;
  if (MessageTarget* target = std::exchange(target_, nullptr)) target->on_reset(error);
  client_.on_session_end();
}

void H1Client::end_session() {
  if (ended_) return;
  ended_ = true;
  target_ = nullptr;
  if (!running_) inbox_.clear();
  client_.on_session_end();
}

void H1Client::adjust_reading() {
  const bool want_paused = !ended_ && paused_;
  if (want_paused == reading_paused_) return;
  reading_paused_ = want_paused;
  if (want_paused) {
    wire_.pause_reading();
  } else {
    wire_.resume_reading();
  }
}

}  // namespace weir::codec
