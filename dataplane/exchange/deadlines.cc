// Every timeout of an exchange on one timer. A byte that moves a deadline stores a time and no
// more; the timer finds out when it fires (lazy re-arm).

#include <algorithm>

#include "dataplane/exchange/exchange.h"

namespace weir::exchange {
namespace {

constexpr std::chrono::milliseconds kLookAgain{50};   // whether memory has become free
constexpr std::chrono::milliseconds kMeasure{1'000};  // when a stall is long enough to look closer
constexpr std::size_t kLowForRelief = 8 * 1024;
constexpr base::TimePoint kNever = base::TimePoint::max();

base::Error late(base::Origin origin, std::string_view what) {
  return {base::ErrorKind::kTimeout, origin, false, std::string(what)};
}

}  // namespace

Exchange::Due Exchange::next_due() const {
  Due due{kNever, Limit::kRequest};
  const auto consider = [&due](base::TimePoint since, std::chrono::microseconds most, Limit limit) {
    if (most.count() > 0 && since + most < due.at) due = {since + most, limit};
  };
  if (plan_ == nullptr || over()) return due;
  const model::RouteTimeouts& limits = plan_->route().timeouts;
  if (phase_ == Phase::kTunnel) {
    consider(std::max(times_.client, times_.upstream), limits.read, Limit::kTunnel);
    return due;
  }
  if (waits_for_head()) consider(times_.attempt, plan_->route().retry.per_try, Limit::kTry);
  const bool talking = phase_ == Phase::kAwaitResponse || phase_ == Phase::kBodies;
  consider(times_.started, limits.request, Limit::kRequest);
  consider(times_.started, asked_timeout_, Limit::kRequest);
  const model::Settings& settings = context_.live->settings;
  if (phase_ == Phase::kHoldBody) consider(times_.looked, kLookAgain, Limit::kRelief);
  if (request_state_ == Message::kOpen && !client_paused_) {
    consider(times_.client, settings.client_body_timeout, Limit::kClientBody);
    const bool judged = settings.min_body_rate > 0 && phase_ != Phase::kBodies;
    if (judged) consider(times_.window, settings.rate_window, Limit::kBodyRate);
  }
  if (talking && request_state_ == Message::kOpen && client_paused_) {
    consider(times_.stalled, limits.send, Limit::kUpstreamTakes);
  }
  if (talking && upstream_paused_) {
    const bool measured = stalled_left_ != kUnmeasured;
    consider(times_.stalled, measured ? limits.send : std::min(kMeasure, limits.send),
             Limit::kClientTakes);
    // Below the stream's own mark nobody says when the client has taken something.
    const bool short_mark = stalled_queue_ <= codec::MessageStream::kHighMark;
    if (short_mark) consider(times_.looked, kLookAgain, Limit::kRelief);
  }
  const bool its_turn = request_state_ == Message::kEnded || phase_ == Phase::kBodies;
  if (talking && its_turn && !upstream_paused_) {
    consider(times_.upstream, limits.read, Limit::kUpstreamGives);
  }
  return due;
}

void Exchange::watch() {
  const Due due = next_due();
  if (due.at == kNever) return;
  if (!timer_.armed() || due.at < timer_.deadline()) timer_.arm(due.at);
}

void Exchange::on_timer() {
  const Due due = next_due();
  if (due.at == kNever) return;
  if (due.at > context_.worker.loop().now()) return timer_.arm(due.at);
  if (due.limit == Limit::kRelief) return relieve();
  if (is_alive(due.limit)) return watch();
  expire(due.limit);
}

// Slow, but fast enough: its next window begins.
bool Exchange::is_alive(Limit limit) {
  if (limit == Limit::kClientTakes) return takes_enough();
  return limit == Limit::kBodyRate && gives_enough();
}

// What the kernel holds counts as not taken: a large send buffer hides for minutes how slow a
// client is, and that it moves at all. Asked for only once a client has been stalled for a while.
bool Exchange::takes_enough() {
  const base::TimePoint now = context_.worker.loop().now();
  const std::size_t in_kernel = facts_.wire == nullptr ? 0 : facts_.wire->in_kernel();
  const std::size_t left = client_.queued() + in_kernel;
  const std::size_t before = std::exchange(stalled_left_, left);
  const auto window = std::chrono::duration<double>(now - std::exchange(times_.stalled, now));
  if (before == kUnmeasured) return true;
  const double wanted = window.count() * context_.live->settings.min_drain_rate;
  return left < before && static_cast<double>(before - left) >= wanted;
}

bool Exchange::gives_enough() {
  const base::TimePoint now = context_.worker.loop().now();
  const auto window = std::chrono::duration<double>(now - std::exchange(times_.window, now));
  const std::uint64_t got = counts_.request - std::exchange(counts_.judged, counts_.request);
  const double wanted = window.count() * context_.live->settings.min_body_rate;
  // A client that asked whether to send waits for the upstream's word.
  const bool invited = counts_.interims > 0 || !request_->find(codec::FieldId::kExpect);
  return static_cast<double>(got) >= wanted || !invited || is_message_stream();
}

// Messages come when there are some. Only where the route says so: the client's word alone would
// excuse any upload.
bool Exchange::is_message_stream() const {
  const upstream::Cluster* cluster =
      backend_ == nullptr ? nullptr
                          : context_.live->clusters.find(backend_->cluster, backend_->cluster_hash);
  return cluster != nullptr && cluster->settings.protocol == model::UpstreamProtocol::kHttp2 &&
         request_->find(codec::FieldId::kContentType).value_or("").starts_with("application/grpc");
}

// A backend that was told the same deadline often ends the stream a moment before our timer does.
bool Exchange::asked_time_is_over() const {
  return asked_timeout_.count() > 0 &&
         context_.worker.loop().now() - times_.started >= asked_timeout_;
}

void Exchange::relieve() {
  times_.looked = context_.worker.loop().now();
  if (phase_ == Phase::kHoldBody) return advance();
  if (client_.queued() <= kLowForRelief) return resume_upstream();
  watch();
}

void Exchange::expire(Limit limit) {
  if (limit == Limit::kTunnel) return close_tunnel();
  const bool client_is_late =
      limit == Limit::kClientBody || limit == Limit::kBodyRate || limit == Limit::kClientTakes;
  const std::string_view why = client_is_late             ? "the client was too slow"
                               : limit == Limit::kRequest ? "the request took too long"
                                                          : "the upstream was too slow";
  if (!client_is_late) cause_ = Cause::kDeadline;
  const bool attempt_is_late =
      limit == Limit::kTry || limit == Limit::kUpstreamGives || limit == Limit::kUpstreamTakes;
  if (attempt_is_late && waits_for_head()) {
    return lose_attempt(late(base::Origin::kUpstream, why));
  }
  if (phase_ == Phase::kBodies) {
    return abort(late(client_is_late ? base::Origin::kClient : base::Origin::kUpstream, why));
  }
  answer(client_is_late ? 408 : 504, why);
  advance();
}

}  // namespace weir::exchange
