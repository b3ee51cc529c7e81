#include "dataplane/snapshot/cluster_index.h"

#include "common/base/check.h"

namespace weir::snapshot {

std::uint32_t ClusterIndex::take(const std::string& name, std::uint64_t oldest_generation) {
  const auto known = numbers_.find(name);
  if (known != numbers_.end()) return known->second;
  std::uint32_t number = next_;
  if (!freed_.empty() && freed_.front().generation <= oldest_generation) {
    number = freed_.front().number;
    freed_.pop_front();
  } else {
    ++next_;
  }
  numbers_.emplace(name, number);
  return number;
}

std::uint32_t ClusterIndex::give_back(const std::string& name, std::uint64_t generation) {
  const auto known = numbers_.find(name);
  WEIR_CHECK(known != numbers_.end());
  const std::uint32_t number = known->second;
  numbers_.erase(known);
  freed_.push_back({number, generation});
  return number;
}

}  // namespace weir::snapshot
