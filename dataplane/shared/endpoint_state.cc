#include "dataplane/shared/endpoint_state.h"

#include <algorithm>
#include <cmath>

namespace weir::shared {
namespace {

constexpr double kDecaySeconds = 10;
constexpr std::uint32_t kMostDoublings = 16;

std::int64_t count(base::TimePoint at) { return at.time_since_epoch().count(); }

double seconds(std::int64_t from, base::TimePoint to) {
  return std::chrono::duration<double>(base::Duration(std::max<std::int64_t>(0, count(to) - from)))
      .count();
}

}  // namespace

EndpointState::EndpointState(unsigned workers, base::TimePoint joined)
    : workers_(workers), cells_(workers == 0 ? nullptr : new Cell[workers]) {
  warm_since_.store(count(joined), std::memory_order_relaxed);
}

std::uint32_t EndpointState::requests() const {
  std::uint32_t sum = 0;
  for (unsigned i = 0; i < workers_; ++i) sum += cells_[i].requests.load(std::memory_order_relaxed);
  return sum;
}

std::uint32_t EndpointState::connections() const {
  std::uint32_t sum = 0;
  for (unsigned i = 0; i < workers_; ++i) {
    sum += cells_[i].connections.load(std::memory_order_relaxed);
  }
  return sum;
}

// A rise counts at once, a fall by its age (Finagle's peak EWMA).
void EndpointState::answered(base::Duration time, base::TimePoint now) {
  const double sample = std::chrono::duration<double, std::nano>(time).count();
  const double before = cost_.load(std::memory_order_relaxed);
  const double keep =
      std::exp(-seconds(cost_at_.load(std::memory_order_relaxed), now) / kDecaySeconds);
  const double next = sample > before ? sample : before * keep + sample * (1 - keep);
  cost_.store(std::max(next, 1.0), std::memory_order_relaxed);
  cost_at_.store(count(now), std::memory_order_relaxed);
}

double EndpointState::cost(base::TimePoint now) const {
  const double known = cost_.load(std::memory_order_relaxed);
  if (known == 0) return 0;
  return known * std::exp(-seconds(cost_at_.load(std::memory_order_relaxed), now) / kDecaySeconds);
}

bool EndpointState::connect_failed(const model::Ejection& rule, base::TimePoint now) {
  const std::uint32_t failures = connect_failures_.fetch_add(1, std::memory_order_relaxed) + 1;
  return rule.connect_failures > 0 && failures >= rule.connect_failures && eject(rule, now);
}

bool EndpointState::answer_failed(const model::Ejection& rule, base::TimePoint now) {
  if (rule.errors == 0) return false;
  const std::uint32_t failures = answer_failures_.fetch_add(1, std::memory_order_relaxed) + 1;
  return failures >= rule.errors && eject(rule, now);
}

bool EndpointState::connected(base::TimePoint now) {
  if (connect_failures_.load(std::memory_order_relaxed) == 0) return false;
  connect_failures_.store(0, std::memory_order_relaxed);
  if (!ejected(now)) return false;
  until_.store(count(now), std::memory_order_relaxed);
  warm_since_.store(count(now), std::memory_order_relaxed);
  return true;
}

bool EndpointState::claim_trial(const model::Ejection& rule, base::TimePoint now) {
  std::int64_t until = until_.load(std::memory_order_relaxed);
  if (until == 0) return true;
  if (count(now) < until) return false;
  // It is out again until the trial is over; should that fail, this is how long.
  const std::uint32_t before = ejections_.load(std::memory_order_relaxed);
  const base::TimePoint next = now + ejection_time(rule, before);
  if (!until_.compare_exchange_strong(until, count(next), std::memory_order_relaxed)) return false;
  ejections_.store(before + 1, std::memory_order_relaxed);
  warm_since_.store(count(next), std::memory_order_relaxed);
  return true;
}

void EndpointState::answer_good() {
  if (answer_failures_.load(std::memory_order_relaxed) == 0) return;
  answer_failures_.store(0, std::memory_order_relaxed);
}

base::Duration EndpointState::ejection_time(const model::Ejection& rule,
                                            std::uint32_t before) const {
  return std::min<base::Duration>(rule.base * (std::int64_t{1} << std::min(before, kMostDoublings)),
                                  std::max(rule.longest, rule.base));
}

bool EndpointState::eject(const model::Ejection& rule, base::TimePoint now) {
  std::int64_t until = until_.load(std::memory_order_relaxed);
  // It is out: a request that began before, or the one that tried it again.
  if (count(now) < until) return false;
  // One that behaved for as long as the longest ejection begins afresh.
  const bool long_ago = count(now) - until > base::Duration(rule.longest).count();
  const std::uint32_t before = long_ago ? 0 : ejections_.load(std::memory_order_relaxed);
  const base::Duration time = ejection_time(rule, before);
  if (!until_.compare_exchange_strong(until, count(now + time), std::memory_order_relaxed)) {
    return false;  // another worker was first
  }
  ejections_.store(before + 1, std::memory_order_relaxed);
  answer_failures_.store(0, std::memory_order_relaxed);
  warm_since_.store(count(now + time), std::memory_order_relaxed);
  return true;
}

bool EndpointState::checked(bool well, const model::HealthCheck& rule, base::TimePoint now) {
  if (well == healthy()) {
    streak_ = 0;
    return false;
  }
  if (++streak_ < (well ? rule.healthy : rule.unhealthy)) return false;
  streak_ = 0;
  if (well) {
    warm_since_.store(count(now), std::memory_order_relaxed);
    until_.store(0, std::memory_order_relaxed);
    connect_failures_.store(0, std::memory_order_relaxed);
    answer_failures_.store(0, std::memory_order_relaxed);
  }
  healthy_.store(well, std::memory_order_relaxed);
  return true;
}

void EndpointState::forget_checks() { healthy_.store(true, std::memory_order_relaxed); }

}  // namespace weir::shared
