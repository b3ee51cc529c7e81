#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dataplane/snapshot/draft.h"
#include "dataplane/snapshot/generations.h"

namespace weir::snapshot {

// A new snapshot and what the workers must know beside it.
struct Swap {
  std::shared_ptr<const exchange::Snapshot> snapshot;
  std::vector<std::string> changed_clusters;
  std::vector<std::uint32_t> removed_clusters;  // their indexes
};

// Turns transactions into snapshots: each new one shares the structure of the one before and costs
// what the transaction touches. A transaction is applied whole or not at all. One thread.
class Builder {
 public:
  // kinds: the features of this dataplane in chain order. All borrowed for the builder's life.
  // workers: how many serve the snapshots.
  Builder(std::span<const exchange::FilterKind> kinds, observe::Labels& labels,
          Generations& generations, unsigned workers = 1);

  struct Outcome {
    Swap swap;                           // snapshot null: refused
    std::vector<wire::Reason> reasons;   // why each bad resource is refused
    std::vector<wire::Reason> degraded;  // applied, but answers 503 or the like
  };
  Outcome apply(const Transaction& transaction);
  // Called again and again inside of a long apply().
  void on_progress(base::UniqueFunction<void()> call) { shop_.progress = std::move(call); }

  const State& state() const { return shop_.state; }
  const std::shared_ptr<const exchange::Snapshot>& current() const { return current_; }

 private:
  void roll_back(const Draft& draft);
  Swap commit(Draft& draft, std::uint64_t version);
  void commit_policies(Draft& draft);
  void commit_routes(Draft& draft);
  void commit_state(const Draft& draft);

  Workshop shop_;
  Generations& generations_;
  std::shared_ptr<const exchange::Snapshot> current_;
};

}  // namespace weir::snapshot
