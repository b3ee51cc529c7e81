#pragma once

#include <functional>
#include <memory>

#include "common/base/metrics.h"
#include "dataplane/exchange/snapshot.h"

namespace weir::snapshot {

// What is known of clusters beside their requests: endpoints that are out, ejections, retries,
// limits that were reached, checks. A cluster has a series once there is something to tell; beyond
// kMost clusters they are summed as "_other".
class ClusterMetrics final : public base::MetricSource {
 public:
  static constexpr std::size_t kMost = 1'000;
  using Current = std::function<std::shared_ptr<const exchange::Snapshot>()>;

  explicit ClusterMetrics(Current current) : current_(std::move(current)) {}
  void collect(std::vector<base::Family>& out) const override;

 private:
  Current current_;  // any thread
};

}  // namespace weir::snapshot
