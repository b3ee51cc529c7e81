#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/model/resource.h"
#include "common/wire/messages.h"

namespace weir::snapshot {

// What one transaction asks for.
struct Transaction {
  std::uint64_t version = 0;
  bool full = false;  // everything that upserts do not name goes
  std::vector<model::ResourcePtr> upserts;
  std::vector<model::ResourceKey> removals;
  std::vector<wire::Reason> broken;  // resources that did not arrive whole: the answer is a nack
};

// Every resource that the dataplane holds, with a digest per type kept up to date in O(1) per
// change: as it came, but for hosts and routes, of which there are many: what they say is in the
// table, here are key and hash. One thread.
class State {
 public:
  using Resources = std::unordered_map<std::string_view, model::ResourcePtr>;  // by their own name

  const Resources& all(model::ResourceType type) const { return types_[index(type)].resources; }
  model::ResourcePtr find(model::ResourceType type, const std::string& name) const;
  std::string digest(model::ResourceType type) const {
    return types_[index(type)].digest.to_string();
  }
  // One per type, and the keys of one type, as hello and keys frames carry them.
  std::vector<wire::TypeDigest> digests() const;
  std::vector<wire::KeyHash> keys(model::ResourceType type) const;

  void put(model::ResourcePtr resource);
  void erase(const model::ResourceKey& key);

 private:
  static std::size_t index(model::ResourceType type) { return static_cast<std::size_t>(type); }
  struct OneType {
    Resources resources;
    wire::Digest digest;
  };
  std::array<OneType, model::kResourceTypes> types_;
};

// One resource before and after a transaction; null: not there.
struct Change {
  model::ResourcePtr before;
  model::ResourcePtr after;
};

// The net effect of a transaction, by type and name: what really differs, the last word per key.
class Changes {
 public:
  using ByName = std::map<std::string, Change>;
  Changes(const Transaction& transaction, const State& state);
  const ByName& of(model::ResourceType type) const {
    return types_[static_cast<std::size_t>(type)];
  }

 private:
  void set(const model::ResourceKey& key, model::ResourcePtr after, const State& state);
  std::array<ByName, model::kResourceTypes> types_;
};

}  // namespace weir::snapshot
