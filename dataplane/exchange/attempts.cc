// Endpoint, connection, and what happens when either fails.

#include "dataplane/exchange/exchange.h"

namespace weir::exchange {
namespace {

int status_of(const base::Error& error) {
  if (error.kind == base::ErrorKind::kTimeout) return 504;
  return error.origin == base::Origin::kConfig ? 503 : 502;
}

}  // namespace

// The cluster comes from the live snapshot, not from the one that routed: a request that waited
// meets no endpoint that has gone meanwhile. Only where nothing names the cluster any more, its
// endpoints of then are asked: a route that moved while the request waited must not lose it.
Exchange::Next Exchange::pick_endpoint() {
  const upstream::Cluster* cluster =
      context_.live->clusters.find(backend_->cluster, backend_->cluster_hash);
  if (cluster != nullptr) return begin_attempt(*cluster);
  if (snapshot_.valid()) {
    cluster = snapshot_->clusters.find(backend_->cluster, backend_->cluster_hash);
  }
  if (cluster == nullptr) return answer(503, "no such cluster");
  const Next next = begin_attempt(*cluster);
  // Its number is nobody else's while the snapshot lives. What was begun goes on.
  context_.upstreams.on_cluster_removed(cluster->index);
  return next;
}

Exchange::Next Exchange::begin_attempt(const upstream::Cluster& cluster) {
  // Ended before the next begins: it may be the one whose event we are in.
  attempt_.reset();
  use_ = {};
  use_ = pick_place(cluster);
  if (!use_) return answer(503, upstream::text_of(use_.refusal()));
  if (retry_ == RetryChoice::kAgain) use_.begin_retry();
  upstream::AttemptNeeds needs;
  needs.fresh = counts_.dead_pooled > 0;
  needs.idempotent = is_idempotent(request_->method());
  times_.attempt = context_.worker.loop().now();
  if (counts_.attempts == 0) times_.first_attempt = times_.attempt;
  link_ = Link::kStarting;
  attempt_ = context_.upstreams.start(cluster, use_, needs, *this, response_target_);
  if (attempt_ == nullptr) return answer(503, upstream::text_of(use_.refusal()));
  ++counts_.attempts;
  if (trace_ != nullptr) [[unlikely]]
    trace_attempt();
  if (link_ == Link::kReady) return go(Phase::kSendRequest);
  if (link_ == Link::kFailed) return retry_or_fail(*failure_);
  phase_ = Phase::kConnect;
  if (plan_->route().retry.per_try.count() > 0) watch();
  return Next::kPark;
}

upstream::Use Exchange::pick_place(const upstream::Cluster& cluster) {
  const Placement* const placement = plan_->placement.get();
  if (placement == nullptr) return context_.upstreams.pick(cluster, {.avoid = avoid_});
  if (placement->cookie) return pick_session(cluster, *placement->cookie);
  const std::string key = key_of(placement->key, *request_, facts_);
  return context_.upstreams.pick(cluster, {.key = key, .avoid = avoid_});
}

// The endpoint of the session that the request brings (or that an attempt before has begun), else
// a new session.
upstream::Use Exchange::pick_session(const upstream::Cluster& cluster,
                                     const model::SessionCookie& cookie) {
  constexpr std::uint64_t kMostKeys = 20;  // until one lies at an endpoint that is well
  const std::string_view known =
      session_.empty() ? session_key(cookie.name, *request_) : std::string_view(session_);
  upstream::Use use;
  if (!known.empty()) {
    use = context_.upstreams.pick(
        cluster, {.key = known, .stay = !cookie.change_on_failure, .avoid = avoid_});
    if (!use || use.exact()) return use;
  }
  const loop::Loop& loop = context_.worker.loop();
  const auto salt = static_cast<std::uint64_t>(loop.now().time_since_epoch().count()) ^
                    reinterpret_cast<std::uintptr_t>(this);
  for (std::uint64_t i = 0; i < kMostKeys; ++i) {
    use = {};
    session_ = cluster.names.empty() ? new_session_key(loop.clock().wall_now(), salt + i) : "";
    use = context_.upstreams.pick(cluster, {.key = session_, .avoid = avoid_});
    if (!use || use.exact() || !cluster.names.empty()) break;
  }
  if (use && !cluster.names.empty()) session_ = cluster.names[use.index()];
  return use;
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

RetryChoice Exchange::retry_choice(const base::Error& error, int status) {
  const FailedAttempt failed{.error = error,
                             .method = request_->method(),
                             .reused = attempt_->reused(),
                             .response_began = counts_.interims > 0,
                             .replayable = counts_.sent <= body_.size(),
                             .attempts = counts_.attempts,
                             .rule = plan_->route().retry,
                             .since_first = context_.worker.loop().now() - times_.first_attempt,
                             .status = status};
  const RetryChoice choice = choose_retry(failed);
  return choice == RetryChoice::kAgain && !use_.may_retry() ? RetryChoice::kNone : choice;
}

Exchange::Next Exchange::retry_or_fail(const base::Error& error) {
  const RetryChoice choice = retry_choice(error, 0);
  if (trace_ != nullptr) end_traced_attempt(0, error.text);
  link_ = Link::kNone;
  if (choice == RetryChoice::kNone) return answer(status_of(error), error.text);
  if (!failure_.has_value()) failure_ = error;
  return try_again(choice);
}

Exchange::Next Exchange::try_again(RetryChoice choice) {
  retry_ = choice;
  if (choice == RetryChoice::kFreshConnection) ++counts_.dead_pooled;
  use_.count_retry();
  if (choice != RetryChoice::kFreshConnection) avoid_.push_back(attempt_->endpoint().id);
  if (request_state_ == Message::kOpen) pause_client();
  return go(Phase::kPickEndpoint);
}

// A response whose status the rule wants tried again goes no further.
bool Exchange::retries_status(int status) {
  const std::vector<std::uint16_t>& wanted = plan_->route().retry.statuses;
  if (wanted.empty()) return false;
  const base::Error none{base::ErrorKind::kInvalid, base::Origin::kUpstream, false, {}};
  const RetryChoice choice = retry_choice(none, status);
  if (choice == RetryChoice::kNone) return false;
  if (trace_ != nullptr) end_traced_attempt(status, {});
  give_up_attempt("the response is to be tried again");
  upstream_status_ = 0;
  try_again(choice);
  return true;
}

// An attempt that took too long.
void Exchange::lose_attempt(base::Error error) {
  const base::TimePoint now = context_.worker.loop().now();
  if (phase_ == Phase::kConnect) {
    error.retryable = true;  // nothing has left
    use_.connect_failed(now);
  } else {
    use_.lost(now - times_.attempt, now);
    give_up_attempt("too slow");
  }
  retry_or_fail(error);
  advance();
}

void Exchange::on_attempt_ready() {
  const bool inside_start = link_ == Link::kStarting && phase_ == Phase::kPickEndpoint;
  link_ = Link::kReady;
  use_.connected(context_.worker.loop().now());
  if (inside_start || over()) return;
  phase_ = Phase::kSendRequest;
  advance();
}

void Exchange::on_attempt_failed(const base::Error& error) {
  failure_ = error;
  const bool inside_start = link_ == Link::kStarting && phase_ == Phase::kPickEndpoint;
  link_ = Link::kFailed;
  if (error.kind == base::ErrorKind::kOverloaded) {
    use_.refuse(upstream::Refusal::kConnections);
  } else {
    use_.connect_failed(context_.worker.loop().now());
  }
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
