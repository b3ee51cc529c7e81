#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>

namespace weir::snapshot {

// Dense numbers for cluster names: a name keeps its number as long as it exists. A number that was
// given back is used again only when no snapshot that knew it is alive, so that a late exchange
// cannot meet a stranger's state. One thread.
class ClusterIndex {
 public:
  // oldest_generation: of the snapshots that are alive.
  std::uint32_t take(const std::string& name, std::uint64_t oldest_generation);
  // generation: the first snapshot without the cluster. Returns the number.
  std::uint32_t give_back(const std::string& name, std::uint64_t generation);
  bool has(const std::string& name) const { return numbers_.count(name) != 0; }

 private:
  struct Freed {
    std::uint32_t number;
    std::uint64_t generation;
  };
  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::deque<Freed> freed_;  // oldest first
  std::uint32_t next_ = 0;
};

}  // namespace weir::snapshot
