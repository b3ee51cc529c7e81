// Endpoint, connection, and what happens when either fails.

#include "dataplane/exchange/exchange.h"
#include "dataplane/exchange/retry.h"

namespace weir::exchange {
namespace {

int status_of(const base::Error& error) {
  if (error.kind == base::ErrorKind::kTimeout) return 504;
  return error.origin == base::Origin::kConfig ? 503 : 502;
}

}  // namespace

// The cluster comes from the live snapshot, not from the one that routed: a request that waited
// meets no endpoint that has gone meanwhile.
Exchange::Next Exchange::pick_endpoint() {
  const upstream::Cluster* cluster =
      context_.live->clusters.find(backend_->cluster, backend_->cluster_hash);
  if (cluster == nullptr) return answer(503, "no such cluster");
  upstream::AttemptNeeds needs;
  needs.fresh = failure_.has_value() && avoid_.empty();
  needs.idempotent = is_idempotent(request_->method());
  needs.avoid_endpoints = avoid_;
  times_.attempt = context_.worker.loop().now();
  link_ = Link::kStarting;
  // Ended before the next begins: it may be the one whose event we are in.
  attempt_.reset();
  attempt_ = context_.upstreams.start(*cluster, needs, *this, response_target_);
  if (attempt_ == nullptr) return answer(503, "no endpoint");
  ++counts_.attempts;
  if (link_ == Link::kReady) return go(Phase::kSendRequest);
  if (link_ == Link::kFailed) return retry_or_fail(*failure_);
  phase_ = Phase::kConnect;
  return Next::kPark;
}

Exchange::Next Exchange::send_request() {
  codec::MessageStream& upstream = attempt_->stream();
  const bool collected = request_state_ == Message::kEnded && body_.size() > 0;
  const bool sized = collected && request_trailers_ == nullptr;
  phase_ = Phase::kAwaitResponse;
  times_.upstream = context_.worker.loop().now();
  upstream.send_head(*request_, sized ? codec::BodyLength::known(body_.size()) : length_);
  for (const worker::Slice& slice : body_.slices()) upstream.send_data(slice);
  counts_.sent = body_.size();
  if (request_state_ == Message::kOpen) {
    resume_client();
  } else if (length_.kind != codec::BodyLength::Kind::kNone) {
    end_upstream_request();
  }
  if (!over()) watch();
  return Next::kPark;
}

Exchange::Next Exchange::retry_or_fail(const base::Error& error) {
  FailedAttempt failed{error, request_->method()};
  failed.reused = attempt_->reused();
  failed.response_began = counts_.interims > 0;
  failed.replayable = counts_.sent == body_.size();
  failed.attempts = counts_.attempts;
  failed.tries = plan_->route().retry.tries;
  link_ = Link::kNone;
  switch (choose_retry(failed)) {
    case RetryChoice::kNone:
      return answer(status_of(error), error.text);
    case RetryChoice::kOtherEndpoint:
      avoid_.push_back(attempt_->endpoint().id);
      break;
    case RetryChoice::kFreshConnection:
      avoid_.clear();
      break;
  }
  if (request_state_ == Message::kOpen) pause_client();
  if (!failure_.has_value()) failure_ = error;
  return go(Phase::kPickEndpoint);
}

void Exchange::on_attempt_ready() {
  const bool inside_start = link_ == Link::kStarting && phase_ == Phase::kPickEndpoint;
  link_ = Link::kReady;
  if (inside_start || over()) return;
  phase_ = Phase::kSendRequest;
  advance();
}

void Exchange::on_attempt_failed(const base::Error& error) {
  failure_ = error;
  const bool inside_start = link_ == Link::kStarting && phase_ == Phase::kPickEndpoint;
  link_ = Link::kFailed;
  if (inside_start || over()) return;
  retry_or_fail(error);
  advance();
}

void Exchange::give_up_attempt(std::string_view why) {
  if (attempt_ == nullptr || link_ != Link::kReady) return;
  link_ = Link::kNone;
  attempt_->stream().reset(
      {base::ErrorKind::kClosed, base::Origin::kSelf, false, std::string(why)});
}

}  // namespace weir::exchange
