#include "dataplane/upstream/use.h"

#include <algorithm>

namespace weir::upstream {
namespace {

// A fast error must not attract traffic: it counts as an answer of at least this time.
constexpr std::chrono::seconds kErrorCosts{1};

bool is_failure(int status) { return status >= 500 && status != 501 && status != 505; }

// One writer: a load and a store, no locked instruction.
void add(std::atomic<std::uint32_t>& count, std::uint32_t by) {
  count.store(count.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}

}  // namespace

std::string_view text_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::kRequests:
      return "circuit limit: requests in flight";
    case Refusal::kPending:
      return "circuit limit: requests waiting for a connection";
    case Refusal::kConnections:
      return "circuit limit: connections";
    case Refusal::kNone:
    case Refusal::kNoEndpoint:
      break;
  }
  return "no endpoint";
}

Use::Use(Seat& seat, unsigned worker, bool exact)
    : seat_(&seat), worker_(worker), exact_(exact), counted_(seat.home->limits.max_requests > 0) {
  ++seat.active;
  ++seat.home->active;
  if (seat.state->counts()) add(seat.state->cell(worker).requests, 1);
}

Use& Use::operator=(Use&& other) noexcept {
  if (this == &other) return *this;
  release();
  seat_ = std::exchange(other.seat_, nullptr);
  worker_ = other.worker_;
  refusal_ = other.refusal_;
  exact_ = other.exact_;
  counted_ = std::exchange(other.counted_, false);
  pending_ = std::exchange(other.pending_, false);
  retry_ = std::exchange(other.retry_, false);
  return *this;
}

void Use::release() {
  if (seat_ == nullptr) return;
  end_pending();
  Home& home = *seat_->home;
  if (retry_) --home.retries;
  if (std::exchange(counted_, false)) shared::leave(home.state->going.requests);
  if (seat_->state->counts()) add(seat_->state->cell(worker_).requests, UINT32_MAX);
  --home.active;
  --seat_->active;
  seat_ = nullptr;
}

bool Use::begin_pending() {
  Home& home = *seat_->home;
  const std::uint32_t most = home.limits.max_pending;
  if (most == 0) return true;
  pending_ = shared::enter(home.state->going.pending, most);
  return pending_;
}

void Use::end_pending() {
  if (std::exchange(pending_, false)) shared::leave(seat_->home->state->going.pending);
}

void Use::refuse(Refusal why) {
  if (seat_ == nullptr) return;
  end_pending();
  refusal_ = why;
  shared::ClusterState::Totals& totals = seat_->home->state->totals;
  (why == Refusal::kPending ? totals.over_pending : totals.over_connections)
      .fetch_add(1, std::memory_order_relaxed);
}

void Use::connected(base::TimePoint now) {
  if (seat_ == nullptr) return;
  end_pending();
  if (seat_->state->connected(now)) seat_->home->state->changed();
}

void Use::connect_failed(base::TimePoint now) {
  if (seat_ == nullptr) return;
  end_pending();
  Home& home = *seat_->home;
  if (!seat_->state->connect_failed(home.ejection, now)) return;
  home.state->totals.ejections.fetch_add(1, std::memory_order_relaxed);
  home.state->changed();
}

void Use::answered(int status, base::Duration time, base::TimePoint now) {
  if (seat_ == nullptr) return;
  if (is_failure(status)) return lost(time, now);
  if (seat_->home->ejection.errors > 0) seat_->state->answer_good();
  if (seat_->home->observes) seat_->state->answered(time, now);
}

void Use::lost(base::Duration time, base::TimePoint now) {
  if (seat_ == nullptr) return;
  Home& home = *seat_->home;
  if (home.observes) {
    seat_->state->answered(std::max<base::Duration>(time, kErrorCosts), now);
  }
  if (!seat_->state->answer_failed(home.ejection, now)) return;
  home.state->totals.ejections.fetch_add(1, std::memory_order_relaxed);
  home.state->changed();
}

bool Use::may_retry() const {
  if (seat_ == nullptr) return true;
  Home& home = *seat_->home;
  const std::uint64_t most =
      std::uint64_t{home.active} * home.limits.retry_percent / 100 + home.retry_floor;
  if (home.retries + (retry_ ? 0U : 1U) <= most) return true;
  home.state->totals.retries_refused.fetch_add(1, std::memory_order_relaxed);
  return false;
}

void Use::begin_retry() {
  if (seat_ == nullptr || std::exchange(retry_, true)) return;
  ++seat_->home->retries;
}

void Use::count_retry() {
  if (seat_ == nullptr) return;
  seat_->home->state->totals.retries.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace weir::upstream
