// Every timeout of an exchange on one timer. A byte that moves a deadline stores a time and no
// more; the timer finds out when it fires (lazy re-arm).

#include <algorithm>

#include "dataplane/exchange/exchange.h"

namespace weir::exchange {
namespace {

constexpr base::TimePoint kNever = base::TimePoint::max();

base::Error late(base::Origin origin, std::string_view what) {
  return {base::ErrorKind::kTimeout, origin, false, std::string(what)};
}

}  // namespace

Exchange::Due Exchange::next_due() const {
  Due due{kNever, Limit::kRequest};
  const auto consider = [&due](base::TimePoint since, std::chrono::milliseconds most, Limit limit) {
    if (most.count() > 0 && since + most < due.at) due = {since + most, limit};
  };
  if (plan_ == nullptr || over()) return due;
  const model::RouteTimeouts& limits = plan_->route().timeouts;
  if (phase_ == Phase::kTunnel) {
    consider(std::max(times_.client, times_.upstream), limits.read, Limit::kTunnel);
    return due;
  }
  const bool talking = phase_ == Phase::kAwaitResponse || phase_ == Phase::kBodies;
  consider(times_.started, limits.request, Limit::kRequest);
  if (request_state_ == Message::kOpen && !client_paused_) {
    consider(times_.client, context_.live->settings.client_body_timeout, Limit::kClientBody);
  }
  if (talking && request_state_ == Message::kOpen && client_paused_) {
    consider(times_.stalled, limits.send, Limit::kUpstreamTakes);
  }
  if (talking && upstream_paused_) consider(times_.stalled, limits.send, Limit::kClientTakes);
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
  expire(due.limit);
}

void Exchange::expire(Limit limit) {
  if (limit == Limit::kClientTakes && client_.queued() < stalled_queue_) {
    // Slow, but alive.
    stalled_queue_ = client_.queued();
    times_.stalled = context_.worker.loop().now();
    return watch();
  }
  if (limit == Limit::kTunnel) return close_tunnel();
  const bool client_is_late = limit == Limit::kClientBody || limit == Limit::kClientTakes;
  const std::string_view why = client_is_late             ? "the client was too slow"
                               : limit == Limit::kRequest ? "the request took too long"
                                                          : "the upstream was too slow";
  if (phase_ == Phase::kBodies) {
    return abort(late(client_is_late ? base::Origin::kClient : base::Origin::kUpstream, why));
  }
  answer(client_is_late ? 408 : 504, why);
  advance();
}

}  // namespace weir::exchange
