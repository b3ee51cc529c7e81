#include "dataplane/snapshot/generations.h"

namespace weir::snapshot {

std::shared_ptr<const exchange::Snapshot> Generations::adopt(
    std::unique_ptr<exchange::Snapshot> snapshot) {
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    number = next_++;
    alive_.insert(number);
  }
  return {snapshot.release(), [this, number](const exchange::Snapshot* dying) {
            delete dying;
            forget(number);
          }};
}

void Generations::forget(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  alive_.erase(number);
}

std::size_t Generations::live() const {
  const std::lock_guard lock(mutex_);
  return alive_.size();
}

std::uint64_t Generations::oldest() const {
  const std::lock_guard lock(mutex_);
  return alive_.empty() ? next_ : *alive_.begin();
}

std::uint64_t Generations::next() const {
  const std::lock_guard lock(mutex_);
  return next_;
}

}  // namespace weir::snapshot
