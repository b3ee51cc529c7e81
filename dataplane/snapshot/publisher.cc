#include "dataplane/snapshot/publisher.h"

#include "common/base/check.h"

namespace weir::snapshot {

// Shared by the tasks of one publication; dies with the last, and with it the reference to the
// snapshot that does not belong to a worker.
struct Publisher::Round {
  Swap swap;
  std::vector<SocketChange> sockets;
  std::atomic<std::size_t> left{0};
};

namespace {

void remove_sockets(WorkerSeat& seat, const std::vector<SocketChange>& changes) {
  for (const SocketChange& change : changes) {
    if (change.sockets.empty()) seat.remove_socket(change.listener, change.bind);
  }
}

// Each worker takes its own element of `sockets`; the vectors themselves do not change.
void add_sockets_of(WorkerSeat& seat, std::vector<SocketChange>& changes, std::size_t worker) {
  for (SocketChange& change : changes) {
    if (change.sockets.empty()) continue;
    seat.add_socket(change.listener, change.bind, std::move(change.sockets[worker]));
  }
}

}  // namespace

void Publisher::publish(Swap swap, std::vector<SocketChange> sockets,
                        base::UniqueFunction<void()> done) {
  {
    const std::lock_guard lock(mutex_);
    current_ = swap.snapshot;
  }
  auto round = std::make_shared<Round>();
  round->swap = std::move(swap);
  round->sockets = std::move(sockets);
  round->left = workers_.size();
  const std::uint64_t number = ++rounds_;
  waiting_.emplace(number, std::move(done));
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    workers_[i]->loop().post([this, home = &home_, round, number, i, seat = workers_[i]] {
      remove_sockets(*seat, round->sockets);
      seat->swap(round->swap);
      add_sockets_of(*seat, round->sockets, i);
      if (round->left.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        home->post([this, number] { finish(number); });
      }
    });
  }
}

void Publisher::finish(std::uint64_t round) {
  const auto at = waiting_.find(round);
  WEIR_CHECK(at != waiting_.end());
  base::UniqueFunction<void()> done = std::move(at->second);
  waiting_.erase(at);
  done();
}

void Publisher::add_sockets(SocketChange change) {
  auto shared = std::make_shared<std::vector<SocketChange>>();
  shared->push_back(std::move(change));
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    workers_[i]->loop().post(
        [shared, i, seat = workers_[i]] { add_sockets_of(*seat, *shared, i); });
  }
}

std::shared_ptr<const exchange::Snapshot> Publisher::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

}  // namespace weir::snapshot
