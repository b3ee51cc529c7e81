// Events of the upstream's stream, our own replies, and the response's way to the client.

#include "dataplane/codec/hop_by_hop.h"
#include "dataplane/exchange/error_page.h"
#include "dataplane/exchange/exchange.h"
#include "dataplane/exchange/grpc_status.h"

namespace weir::exchange {
namespace {

bool has_page(int status) { return status >= 200 && status != 204 && status != 304; }

}  // namespace

void Exchange::on_upstream_interim(codec::Head& head) {
  if (over()) return;
  ++counts_.interims;
  times_.upstream = context_.worker.loop().now();
  codec::strip_hop_by_hop(head);
  client_.send_interim(head);
}

void Exchange::on_upstream_head(codec::HeadPtr head, codec::BodyLength length) {
  if (over()) return;
  times_.upstream = times_.response_head = context_.worker.loop().now();
  upstream_status_ = head->status();
  use_.answered(upstream_status_, times_.upstream - times_.attempt, times_.upstream);
  if (retries_status(upstream_status_)) return advance();
  if (head->status() == 101) return open_tunnel(std::move(head));
  response_ = std::move(head);
  response_length_ = length;
  context_.recorder.expect(plan_->labels, upstream_status_, request_->method());
  phase_ = Phase::kResponseHead;
  advance();
}

Exchange::Next Exchange::pass_response_head() {
  if (request_state_ == Message::kEnded || counts_.sent == body_.size()) body_.clear();
  codec::strip_hop_by_hop(*response_);
  response_->remove(codec::FieldId::kServer);
  response_->remove(codec::FieldId::kDate);
  add_own_fields();
  add_session(*response_);
  run_response_head_hooks();
  status_ = response_->status();
  phase_ = Phase::kBodies;
  // A message without a body is over here for the client; the upstream's end still comes, and until
  // then nothing may touch the client's stream.
  client_.send_head(*response_, response_length_);
  if (!over()) watch();
  return Next::kPark;
}

void Exchange::on_upstream_data(worker::Slice data) {
  if (over()) return;
  times_.upstream = context_.worker.loop().now();
  if (phase_ == Phase::kTunnel) return tunnel_to_client(std::move(data));
  let_snapshot_go();
  run_response_data_hooks(data);
  if (data.empty()) return;
  counts_.response += data.size();
  client_.send_data(std::move(data));
  if (!over() && client_.queued() > high_mark()) pause_upstream();
}

// When memory is short no more may wait for a client than one read brings.
std::size_t Exchange::high_mark() const {
  return context_.worker.budget().pressure() == base::Pressure::kNone
             ? codec::MessageStream::kHighMark
             : context_.worker.receive_most();
}

// The response is complete, and with it the exchange: what a client still sends of its body is its
// session's to swallow. An upstream that has not read it all gets its connection closed.
void Exchange::on_upstream_end() {
  if (over()) return;
  times_.response_end = context_.worker.loop().now();
  if (phase_ == Phase::kTunnel) return close_tunnel();
  run_response_end_hooks();
  phase_ = Phase::kDone;
  if (response_length_.kind != codec::BodyLength::Kind::kNone) {
    if (response_trailers_ != nullptr) {
      client_.send_trailers(*response_trailers_);
    } else {
      client_.send_end();
    }
  }
  advance();
}

void Exchange::on_upstream_lost(const base::Error& error) {
  if (over()) return;
  link_ = Link::kNone;
  if (phase_ != Phase::kTunnel && asked_time_is_over()) return expire(Limit::kRequest);
  if (phase_ == Phase::kBodies || phase_ == Phase::kTunnel) return abort(error);
  const base::TimePoint now = context_.worker.loop().now();
  if (!error.retryable) use_.lost(now - times_.attempt, now);  // else it was only told to go on
  retry_or_fail(error);
  advance();
}

// The response has begun and cannot be finished: the client must see that it is broken.
void Exchange::abort(const base::Error& error) {
  if (over()) return;
  error_ = error.text;
  give_up_attempt("the response was broken off");
  phase_ = Phase::kDone;
  if (response_length_.kind != codec::BodyLength::Kind::kNone || status_ == 101) {
    break_response(error);
  }
  advance();
}

// A gRPC client learns the reason from trailers; everybody else from a response that has no end.
void Exchange::break_response(const base::Error& error) {
  const bool has_trailers = response_length_.kind == codec::BodyLength::Kind::kUnknown;
  if (status_ == 101 || !has_trailers || !is_grpc(*request_)) return client_.reset(error);
  codec::HeadPtr trailers = context_.heads.take();
  const bool deadline = cause_ == Cause::kDeadline;
  add_grpc_status(*trailers, grpc_status_of(deadline ? 504 : 502, deadline), error.text);
  client_.send_trailers(*trailers);
}

void Exchange::unsize_request() {
  if (length_.kind == codec::BodyLength::Kind::kKnown) length_ = codec::BodyLength::unknown();
}

void Exchange::unsize_response() {
  if (response_length_.kind != codec::BodyLength::Kind::kKnown) return;
  response_length_ = codec::BodyLength::unknown();
}

void Exchange::add_response_data(worker::Slice data) {
  if (over() || response_length_.kind == codec::BodyLength::Kind::kNone) return;
  counts_.response += data.size();
  client_.send_data(std::move(data));
}

void Exchange::reply(int status, std::string_view why) {
  response_ = context_.heads.take();
  response_->set_status(status, status_phrase(status));
  error_ = why;
}

Exchange::Next Exchange::send_reply() {
  context_.local.waits.close(ticket_);
  give_up_attempt("answered by the proxy");
  const int status = response_->status();
  worker::Slice page;
  if (request_ != nullptr && is_grpc(*request_)) {
    become_grpc_reply(*response_, cause_ == Cause::kDeadline);
  } else if (has_page(status)) {
    page = make_page(context_.worker.buffers(), status, request_.get(), *response_);
  }
  add_own_fields();
  run_response_head_hooks();
  status_ = status;
  counts_.response = page.size();
  phase_ = Phase::kDone;
  client_.send_head(*response_, codec::BodyLength::known(page.size()));
  if (page.empty()) return Next::kGo;
  client_.send_data(std::move(page));
  client_.send_end();
  return Next::kGo;
}

void Exchange::add_own_fields() {
  if (trace_ != nullptr) [[unlikely]]
    tell_decisions();
  loop::Loop& loop = context_.worker.loop();
  if (context_.live->settings.server_header) response_->add("Server", "weir");
  response_->add("Date", context_.local.date.at(loop.now(), loop.clock()));
}

void Exchange::add_session(codec::Head& response) {
  if (session_.empty() || !plan_->placement->cookie) return;
  response.add(
      "Set-Cookie",
      session_cookie(*plan_->placement->cookie,
                     {.key = session_,
                      .tag = backend_->session_tag,
                      .tls = facts_.tls != nullptr,
                      .user_agent = request_->find(codec::FieldId::kUserAgent).value_or(""),
                      .now = context_.worker.loop().clock().wall_now()}));
}

void Exchange::pause_upstream() {
  if (upstream_paused_) return;
  upstream_paused_ = true;
  times_.stalled = times_.looked = context_.worker.loop().now();
  stalled_queue_ = client_.queued();
  stalled_left_ = kUnmeasured;
  attempt_->stream().pause();
  watch();
}

void Exchange::resume_upstream() {
  if (over() || !upstream_paused_) return;
  upstream_paused_ = false;
  times_.upstream = context_.worker.loop().now();
  attempt_->stream().resume();  // data may come from inside
  if (!over()) watch();
}

}  // namespace weir::exchange
