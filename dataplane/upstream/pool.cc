#include "dataplane/upstream/pool.h"

#include <algorithm>

namespace weir::upstream {
namespace {

// How many streams an endpoint is taken to allow before it has said so.
constexpr std::uint32_t kGuess = 100;

}  // namespace

Pool::Pool(const Parts& parts, Counts& counts, PoolOwner& owner, PoolTarget target)
    : parts_(parts), counts_(counts), owner_(owner), target_(std::move(target)) {}

Connection* Pool::take(bool idempotent) {
  Connection* best = newest_;
  while (best != nullptr && !best->has_room()) best = best->older_;
  const bool any_will_do = idempotent || protocol() == model::UpstreamProtocol::kHttp2;
  if (best == nullptr || any_will_do) return best;
  const base::Duration unused = parts_.worker.loop().now() - best->idle_since();
  return best->idle() && unused >= kFreshEnough ? nullptr : best;
}

Connection& Pool::connect(base::Duration timeout) {
  auto connection = std::make_unique<Connection>(*this, parts_, timeout);
  connection->slot_ = all_.size();
  all_.push_back(std::move(connection));
  ++counts_.open;
  if (protocol() == model::UpstreamProtocol::kHttp2) gathering_ = all_.back().get();
  count_connections();
  return *all_.back();
}

void Pool::limit_by(std::uint32_t cluster, std::shared_ptr<shared::EndpointState> state) {
  cluster_ = cluster;
  counted_ = std::move(state);
  count_connections();
}

void Pool::count_connections() {
  if (counted_ == nullptr || !counted_->counts()) return;
  counted_->cell(parts_.worker.index())
      .connections.store(static_cast<std::uint32_t>(all_.size()), std::memory_order_relaxed);
}

Connection* Pool::joinable() const {
  if (gathering_ == nullptr || !gathering_->is_starting()) return nullptr;
  const std::uint32_t most = std::min(limits_.max_streams, allowed_ > 0 ? allowed_ : kGuess);
  return gathering_->waiters() < most ? gathering_ : nullptr;
}

void Pool::find_other(ConnectWaiter& waiter, base::Duration timeout) {
  if (Connection* open = take(true)) {
    waiter.wait_for(*open);
    return open->serve();
  }
  Connection* other = joinable();
  if (other == nullptr) {
    if (counted_ != nullptr && !owner_.may_connect(cluster_)) return waiter.on_connect_refused();
    other = &connect(timeout);
  }
  waiter.wait_for(*other);
}

SessionWish Pool::wish() const {
  SessionWish out;
  out.protocol = protocol();
  out.tls = tls() != nullptr;
  out.max_streams = limits_.max_streams;
  if (allowed_ > 0) out.first_streams = allowed_;
  return out;
}

void Pool::learn(std::size_t most_streams) {
  allowed_ = static_cast<std::uint32_t>(std::max<std::size_t>(most_streams, 1));
}

void Pool::remove_cluster() {
  WEIR_CHECK(clusters_ > 0);
  if (--clusters_ > 0) return;
  close_idle();
  tell_if_unused();
}

void Pool::remove_attempt() {
  WEIR_CHECK(attempts_ > 0);
  --attempts_;
  tell_if_unused();
}

void Pool::close_all(const base::Error& why) {
  // Each close takes one out of the list.
  while (!all_.empty()) all_.back()->close(why);
}

void Pool::offer(Connection& connection) {
  if (clusters_ == 0 && connection.idle()) {
    connection.close({base::ErrorKind::kClosed, base::Origin::kSelf, false, "endpoint removed"});
    return;
  }
  connection.offered_ = true;
  connection.older_ = newest_;
  connection.newer_ = nullptr;
  (newest_ == nullptr ? oldest_ : newest_->newer_) = &connection;
  newest_ = &connection;
  if (!connection.idle()) return;
  connection.idle_counted_ = true;
  ++idle_;
  ++counts_.idle;
  connection.idle_timer_.arm(connection.idle_since() + limits_.idle_timeout);
  if (idle_ <= limits_.max_idle) return;
  Connection* victim = oldest_;
  while (!victim->idle()) victim = victim->newer_;
  victim->close({base::ErrorKind::kClosed, base::Origin::kSelf, false, "more idle than allowed"});
}

void Pool::withdraw(Connection& connection) {
  (connection.newer_ == nullptr ? newest_ : connection.newer_->older_) = connection.older_;
  (connection.older_ == nullptr ? oldest_ : connection.older_->newer_) = connection.newer_;
  connection.newer_ = connection.older_ = nullptr;
  connection.offered_ = false;
  if (!std::exchange(connection.idle_counted_, false)) return;
  --idle_;
  --counts_.idle;
}

void Pool::forget(Connection& connection) {
  if (gathering_ == &connection) gathering_ = nullptr;
  const std::size_t slot = connection.slot_;
  std::swap(all_[slot], all_.back());
  all_[slot]->slot_ = slot;
  parts_.worker.bury(std::move(all_.back()));
  all_.pop_back();
  --counts_.open;
  count_connections();
  tell_if_unused();
}

void Pool::close_idle() {
  for (std::size_t i = all_.size(); i > 0; --i) {
    // A close may end further ones; what moved down was already looked at or is gone.
    if (i > all_.size() || !all_[i - 1]->idle()) continue;
    all_[i - 1]->close({base::ErrorKind::kClosed, base::Origin::kSelf, false, "endpoint removed"});
  }
}

void Pool::tell_if_unused() {
  if (clusters_ == 0 && attempts_ == 0 && all_.empty()) owner_.on_pool_unused(*this);
}

}  // namespace weir::upstream
