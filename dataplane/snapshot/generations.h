#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <set>

#include "dataplane/exchange/snapshot.h"

namespace weir::snapshot {

// Knows which snapshots are still alive, whoever holds them; they may outlast it. Any thread.
class Generations {
 public:
  // Gives the snapshot a number higher than any before, and forgets it when its last owner lets go.
  std::shared_ptr<const exchange::Snapshot> adopt(std::unique_ptr<exchange::Snapshot> snapshot);
  std::size_t live() const;
  // Number of the oldest that is alive; of the next one when there is none.
  std::uint64_t oldest() const;
  std::uint64_t next() const;  // number that adopt() gives next

 private:
  struct Alive {
    mutable std::mutex mutex;  // guards the two below
    std::set<std::uint64_t> numbers;
    std::uint64_t next = 1;
  };
  std::shared_ptr<Alive> alive_ = std::make_shared<Alive>();
};

}  // namespace weir::snapshot
