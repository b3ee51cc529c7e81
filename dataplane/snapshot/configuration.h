#pragma once

#include <atomic>
#include <string>

#include "common/base/metrics.h"
#include "common/loop/loop.h"
#include "dataplane/snapshot/binds.h"
#include "dataplane/snapshot/builder.h"
#include "dataplane/snapshot/publisher.h"
#include "dataplane/snapshot/receiver.h"

namespace weir::snapshot {

// The configuration of this process: what the receiver brings goes through the builder to every
// worker, and the answer goes back when all have swapped. One thread, but for ready(), collect()
// and current().
class Configuration final : public ReceiverTarget, public base::MetricSource {
 public:
  struct Parts {
    loop::Loop& loop;
    std::span<const exchange::FilterKind> kinds;  // in chain order
    observe::Labels& labels;
    std::vector<WorkerSeat*> workers;
    SocketSource& sockets;
    base::MetricLabels instance;                 // on the series that ingress-nginx has, too
    base::UniqueFunction<void()> progress = {};  // called now and then while a long one is applied
  };
  explicit Configuration(Parts parts);
  ~Configuration() override;

  wire::Hello hello() const override;
  std::vector<wire::KeyHash> keys(model::ResourceType type) const override;
  void apply(Transaction transaction, base::UniqueFunction<void(Answer)> answer) override;

  // A configuration has been applied by every worker.
  bool ready() const { return applied_.load(std::memory_order_acquire) != 0; }
  std::shared_ptr<const exchange::Snapshot> current() const { return publisher_.current(); }
  std::size_t live_snapshots() const { return generations_.live(); }
  void collect(std::vector<base::Family>& out) const override;

 private:
  // Asks for the failed binds again: once a second, and when the workers have let go of old
  // sockets, which may have held an address that overlaps ("127.0.0.1" and "0.0.0.0"). What opened,
  // without its sockets.
  std::vector<SocketChange> on_retry();
  static void forget(const SocketChange& opened, wire::Ack& ack);
  void on_applied(std::uint64_t version);
  void refuse(std::uint64_t version, std::vector<wire::Reason> reasons,
              base::UniqueFunction<void(Answer)>& answer);

  loop::Loop& loop_;
  const std::span<const exchange::FilterKind> kinds_;
  const base::MetricLabels instance_;
  const std::string id_;  // random per process
  Generations generations_;
  Builder builder_;
  Publisher publisher_;
  Binds binds_;
  loop::Timer retry_;
  bool is_large_ = false;  // the transaction that is being applied
  // Written by the loop's thread, read by the scraper.
  std::atomic<std::uint64_t> applied_{0};
  std::atomic<std::uint64_t> successes_{0};
  std::atomic<std::uint64_t> failures_{0};
  std::atomic<bool> last_good_{false};
  std::atomic<std::int64_t> last_good_at_{0};  // seconds since the epoch
  std::atomic<std::uint64_t> hash_{0};         // of all resources, 48 bits
  std::atomic<std::size_t> failing_binds_{0};
};

}  // namespace weir::snapshot
