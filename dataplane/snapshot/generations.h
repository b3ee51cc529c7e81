#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <set>

#include "dataplane/exchange/snapshot.h"

namespace weir::snapshot {

// Knows which snapshots are still alive, whoever holds them. Any thread. Must outlive them all.
class Generations {
 public:
  // Gives the snapshot a number higher than any before, and forgets it when its last owner lets go.
  std::shared_ptr<const exchange::Snapshot> adopt(std::unique_ptr<exchange::Snapshot> snapshot);
  std::size_t live() const;
  // Number of the oldest that is alive; of the next one when there is none.
  std::uint64_t oldest() const;
  std::uint64_t next() const;  // number that adopt() gives next

 private:
  void forget(std::uint64_t number);

  mutable std::mutex mutex_;  // guards the two below
  std::set<std::uint64_t> alive_;
  std::uint64_t next_ = 1;
};

}  // namespace weir::snapshot
