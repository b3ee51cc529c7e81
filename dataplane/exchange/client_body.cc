// Events of the client's stream, and the request's way to the upstream.

#include "dataplane/exchange/exchange.h"

namespace weir::exchange {
namespace {

// What is kept of a body for sending it again. More would make every upload pay for a rare case.
constexpr std::size_t kReplayLimit = 64 * 1024;

}  // namespace

void Exchange::on_head(codec::HeadPtr head, codec::BodyLength length) {
  counts_.request = counts_.judged = head->bytes();
  request_ = std::move(head);
  length_ = length;
  if (length.kind == codec::BodyLength::Kind::kNone) request_state_ = Message::kEnded;
  begin();
}

void Exchange::begin() {
  advance();
  if (over()) return;
  if (!takes_body()) pause_client();
  watch();
}

void Exchange::on_data(worker::Slice data) {
  if (over()) return;
  times_.client = context_.worker.loop().now();
  counts_.request += data.size();
  if (phase_ == Phase::kTunnel) return tunnel_to_upstream(std::move(data));
  let_snapshot_go();
  if (run_data_hooks(data) == Verdict::kReplied) return stop_request();
  if (data.empty()) return;
  if (phase_ != Phase::kCollectBody) return forward_body(std::move(data));
  const std::size_t limit =
      std::max(plan_->filters.body_need().limit, backend_->filters.body_need().limit);
  if (body_.append(data, limit)) return;
  answer(413, "body is larger than a filter may hold");
  advance();
}

void Exchange::on_end() {
  if (over()) return;
  if (phase_ == Phase::kTunnel) return close_tunnel();
  if (request_state_ == Message::kEnded) return;  // there was no body
  if (run_end_hooks() == Verdict::kReplied) return stop_request();
  request_state_ = Message::kEnded;
  pass_ = {};
  times_.upstream = context_.worker.loop().now();
  if (phase_ == Phase::kCollectBody) return advance();
  if (link_ == Link::kReady) end_upstream_request();
  watch();
}

// The client is gone, or what it sends is no HTTP: then its connection answers and logs.
void Exchange::on_reset(const base::Error& error) {
  if (over()) return;
  const bool answered_elsewhere = status_ == 0 && error.kind == base::ErrorKind::kProtocol;
  if (status_ == 0 && !answered_elsewhere) status_ = 499;
  error_ = error.text;
  give_up_attempt("the client left");
  phase_ = Phase::kDone;
  advance();
}

void Exchange::forward_body(worker::Slice data) {
  if (keeps_replay() && !body_.append(data, kReplayLimit)) body_.clear();
  counts_.sent += data.size();
  codec::MessageStream& upstream = attempt_->stream();
  upstream.send_data(std::move(data));
  if (upstream.queued() > codec::MessageStream::kHighMark) pause_client();
}

// Kept only while a retry is possible at all: the first bytes of an idempotent request on a pooled
// connection, of one that the route's rule repeats, and of any where the endpoint can say that it
// has not processed it.
bool Exchange::keeps_replay() const {
  if (phase_ != Phase::kAwaitResponse || counts_.sent != body_.size()) return false;
  return attempt_->may_be_refused() || (attempt_->reused() && is_idempotent(request_->method())) ||
         may_repeat(plan_->route().retry, request_->method());
}

void Exchange::end_upstream_request() {
  codec::MessageStream& upstream = attempt_->stream();
  if (request_trailers_ != nullptr) {
    upstream.send_trailers(*request_trailers_);
  } else {
    upstream.send_end();
  }
}

// A filter has answered in the middle of the body.
void Exchange::stop_request() {
  if (phase_ == Phase::kBodies) {
    return abort({base::ErrorKind::kInvalid, base::Origin::kClient, false,
                  "a filter refused the body behind the start of the response"});
  }
  phase_ = Phase::kReply;
  advance();
}

bool Exchange::takes_body() const {
  const bool connected = phase_ == Phase::kAwaitResponse || phase_ == Phase::kBodies;
  return request_state_ == Message::kEnded || connected || phase_ == Phase::kCollectBody ||
         phase_ == Phase::kTunnel;
}

void Exchange::pause_client() {
  if (client_paused_) return;
  client_paused_ = true;
  times_.stalled = context_.worker.loop().now();
  client_.pause();
  watch();
}

void Exchange::resume_client() {
  if (over() || !client_paused_) return;
  client_paused_ = false;
  times_.client = times_.window = context_.worker.loop().now();
  counts_.judged = counts_.request;
  client_.resume();  // data may come from inside
  if (!over()) watch();
}

}  // namespace weir::exchange
