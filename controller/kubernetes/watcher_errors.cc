// The half of Watcher that decides what an error means and when to ask again.

#include "common/base/log.h"
#include "controller/kubernetes/watcher.h"

namespace weir::kubernetes {

using base::Json;

void Watcher::on_http_error(int status, const Json& body) {
  silence_timer_.cancel();
  if (phase_ != Phase::kWatch) needs_sync_ = true;
  switch (status) {
    case 401:
      return on_unauthorized(body);
    case 403:
      return on_forbidden(body);
    case 404:
      return on_not_served(body);
    case 410:
      return on_expired();
    case 400:
    case 422:
      if (phase_ == Phase::kInitialWatch && !client_.watch_list_refused) {
        client_.watch_list_refused = true;
        return retry_in(std::chrono::milliseconds(0));
      }
      needs_sync_ = true;  // perhaps the version is what the server does not like
      break;
    default:
      break;
  }
  base::log_debug("the API server refuses a watch or list",
                  {{"kind", scope_.kind->plural}, {"status", status}});
  // A server that has just started says 503 and "in 5 s" until it has put its paths together, which
  // takes it a fraction of one.
  if (status == 503 && server_is_young()) return retry_in(after_error());
  retry_in(std::max(after_error(), retry_after(body)));
}

// A server that has just started says so to everybody until it has read the roles. Believed, the
// kind counts as listed: nothing of it is there.
void Watcher::on_forbidden(const Json& body) {
  tell_problem(status_error(403, body));
  if (server_is_young()) return retry_in(after_error());
  first_list_done();
  retry_in(std::min(timings_.recheck, backoff_.next()));
}

// The token may just have been rotated on disk: one retry at once, then it is a lasting problem.
void Watcher::on_unauthorized(const Json& body) {
  client_.refuse_credentials();
  if (!std::exchange(auth_retried_, true)) return retry_in(std::chrono::milliseconds(0));
  tell_problem(status_error(401, body));
  retry_in(after_error());
}

void Watcher::on_not_served(const Json& body) {
  needs_sync_ = true;
  if (scope_.kind->required) {
    base::Error error = status_error(404, body);
    error.text = std::string(scope_.kind->plural) + "." + std::string(scope_.kind->group) + "/" +
                 std::string(scope_.kind->version) + " is not served: " + error.text;
    tell_problem(std::move(error));
    first_list_done();
    return retry_in(timings_.recheck);
  }
  // A kind that is gone is a list that is empty: believed only after the grace time.
  known_.begin_round();
  if (hold_drop()) return retry_in(timings_.empty_grace / 6);
  for (const auto& [ns, name] : known_.take_unseen()) {
    if (!stopped_) target_.on_gone(*this, ns, name);
  }
  if (stopped_) return;
  first_list_done();
  retry_in(timings_.recheck);
}

// The version, or the continue token, is too old: list anew and hand out the difference.
void Watcher::on_expired() {
  const bool while_listing = phase_ == Phase::kList && !continue_.empty();
  if (while_listing) ++expired_lists_;
  needs_sync_ = true;
  base::log_info("the API server has forgotten this version: listing anew",
                 {{"kind", scope_.kind->plural}, {"status", 410}});
  // The first time at once; a server that says so again and again is not asked in a hot loop.
  const base::TimePoint now = client_.loop().now();
  const bool again = last_expired_ && now - *last_expired_ < timings_.quick_end * 10;
  last_expired_ = now;
  retry_in(again && !while_listing ? backoff_.next() : std::chrono::milliseconds(0));
}

void Watcher::on_broken(const base::Error& error) {
  if (phase_ != Phase::kWatch) needs_sync_ = true;
  doubt_schema();
  if (error.kind == base::ErrorKind::kInvalid) tell_problem(error);
  if (!error.retryable) return retry_in(after_error());
  last_away_ = client_.loop().now();
  backoff_.reset();
  retry_in(jitter_.between(timings_.connect_min, timings_.connect_max));
}

bool Watcher::server_is_young() const {
  return last_away_ && client_.loop().now() - *last_away_ < timings_.young;
}

std::chrono::milliseconds Watcher::after_error() {
  const std::chrono::milliseconds wait = backoff_.next();
  return server_is_young() ? std::min(wait, timings_.connect_max) : wait;
}

// When the definition of a custom kind changes, the server ends its watches a second later. Until
// then they prune by the old schema: an object may have come without its new fields, and will not
// come again at this version.
void Watcher::doubt_schema() {
  if (scope_.kind->required) return;
  known_.doubt();
  needs_sync_ = true;
}

void Watcher::on_watch_ended() {
  doubt_schema();
  if (phase_ == Phase::kInitialWatch) {
    needs_sync_ = true;
    return retry_in(backoff_.next());
  }
  const bool quick = client_.loop().now() - opened_at_ < timings_.quick_end;
  retry_in(quick ? after_error() : std::chrono::milliseconds(0));
}

// No status line, or no byte, for too long. Without a status line the connection is left. A watch
// that was accepted and stays silent may just be quiet: it is asked again from the same version,
// which costs little. When that goes on, the version may be of another life of the server (a
// restored etcd waits for it without a word).
void Watcher::on_silence() {
  const bool headless = !has_head_;
  const bool doubted = !headless && ++silences_ >= timings_.stalls_to_relist;
  if (headless || doubted) stream_->distrust_connection();
  if (doubted) {
    silences_ = 0;
    needs_sync_ = true;
  }
  stream_.reset();
  if (phase_ == Phase::kInitialWatch && !headless) {
    client_.watch_list_refused = true;  // a server that ignores sendInitialEvents never ends them
    return retry_in(std::chrono::milliseconds(0));
  }
  if (phase_ != Phase::kWatch) needs_sync_ = true;
  const bool again = phase_ == Phase::kWatch && !headless;
  retry_in(again ? std::chrono::milliseconds(0) : backoff_.next());
}

void Watcher::fail(std::string reason) {
  stream_.reset();
  base::log_warn("answer of the API server cannot be read",
                 {{"kind", scope_.kind->plural}, {"reason", reason}});
  needs_sync_ = true;
  tell_problem(base::Error{base::ErrorKind::kProtocol, base::Origin::kUpstream, false,
                           std::string(scope_.kind->plural) + ": " + std::move(reason)});
  retry_in(backoff_.next());
}

void Watcher::retry_in(std::chrono::milliseconds wait) {
  silence_timer_.cancel();
  if (!stopped_) retry_timer_.arm(client_.loop().now() + wait);
}

void Watcher::tell_problem(base::Error error) {
  if (stopped_ || problem_told_ == error.text) return;
  problem_told_ = error.text;
  target_.on_watch_problem(*this, error);
}

void Watcher::clear_problem() {
  if (stopped_ || problem_told_.empty()) return;
  problem_told_.clear();
  target_.on_watch_problem(*this, base::invalid(""));
}

std::chrono::milliseconds Watcher::retry_after(const Json& body) const {
  const std::int64_t seconds =
      std::clamp<std::int64_t>(body.at_path("details", "retryAfterSeconds").as_int(), 0, 300);
  return std::max<std::chrono::milliseconds>(
      head_.retry_after.value_or(std::chrono::milliseconds(0)), std::chrono::seconds(seconds));
}

}  // namespace weir::kubernetes
