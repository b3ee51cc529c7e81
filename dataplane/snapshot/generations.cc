#include "dataplane/snapshot/generations.h"

namespace weir::snapshot {

std::shared_ptr<const exchange::Snapshot> Generations::adopt(
    std::unique_ptr<exchange::Snapshot> snapshot) {
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(alive_->mutex);
    number = alive_->next++;
    alive_->numbers.insert(number);
  }
  return {snapshot.release(), [alive = alive_, number](const exchange::Snapshot* dying) {
            delete dying;
            const std::lock_guard lock(alive->mutex);
            alive->numbers.erase(number);
          }};
}

std::size_t Generations::live() const {
  const std::lock_guard lock(alive_->mutex);
  return alive_->numbers.size();
}

std::uint64_t Generations::oldest() const {
  const std::lock_guard lock(alive_->mutex);
  return alive_->numbers.empty() ? alive_->next : *alive_->numbers.begin();
}

std::uint64_t Generations::next() const {
  const std::lock_guard lock(alive_->mutex);
  return alive_->next;
}

}  // namespace weir::snapshot
