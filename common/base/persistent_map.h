#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "common/base/counted.h"
#include "common/base/hash.h"
#include "common/base/persistent_bucket.h"

namespace weir::base {

// An immutable map from text to shared values whose copies share structure: a changed copy costs
// one bucket and two small arrays (64 pointers each), whatever the size of the map. Two levels of
// 64, so 4,096 buckets: 100,000 keys are about 25 a bucket.
//
//   Threads: any number may read one map; with() and without() make a new map and leave the old one
//   as it was. Lookup: one hash, two array reads, one probe, one key compare.
//
// Invariants: (1) a bucket's entries have distinct keys, and it has one at least; (2) size_ is the
// number of entries; (3) published nodes never change.
template <typename Value>
class PersistentMap {
 public:
  using Pointer = std::shared_ptr<const Value>;

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // The value, or null. The pointer is valid as long as this map (or a copy) lives.
  const Value* find(std::string_view key) const { return find(key, hash_bytes(key)); }
  const Value* find(std::string_view key, std::uint64_t hash) const {
    const auto* slot = locate(key, hash);
    return slot == nullptr ? nullptr : slot->value.get();
  }
  // What find(key, hash) will read, asked for in two steps, so that the waits for several keys
  // overlap: first fetch for all of them, then fetch_value, which gives a value whose key has this
  // hash, or null.
  void fetch(std::uint64_t hash) const {
    const Place at = place_of(hash);
    if (at.bucket != nullptr) at.bucket->fetch(hash, at.log);
  }
  const Value* fetch_value(std::uint64_t hash) const {
    const Place at = place_of(hash);
    return at.bucket == nullptr ? nullptr : at.bucket->fetch_value(hash, at.log);
  }
  Pointer share(std::string_view key) const {
    const auto* slot = locate(key, hash_bytes(key));
    return slot == nullptr ? nullptr : slot->value;
  }

  [[nodiscard]] PersistentMap with(std::string_view key, Pointer value) const {
    return changed(key, std::move(value));
  }
  [[nodiscard]] PersistentMap without(std::string_view key) const { return changed(key, nullptr); }

  // Calls visit(key, value) for every entry, in no particular order.
  template <typename Visit>
  void for_each(Visit&& visit) const {
    if (!root_) return;
    for (const auto& middle : root_->nodes) {
      if (!middle) continue;
      for (const auto& bucket : middle->nodes) {
        if (!bucket) continue;
        bucket->for_each([&](std::string_view key, const Pointer& value) { visit(key, *value); });
      }
    }
  }

 private:
  using Bucket = PersistentBucket<Value>;
  template <typename Below>
  struct Node : Counted {
    std::array<Ref<Below>, 64> nodes;

    static void destroy(const Node* node) { delete node; }
    // A copy of `old` (which may be none) with another node at this place.
    static Ref<Node> changed(const Node* old, std::size_t at, Ref<Below> below) {
      auto node = std::make_unique<Node>();
      if (old != nullptr) node->nodes = old->nodes;
      node->nodes[at] = std::move(below);
      return Ref<Node>(node.release());
    }
  };
  struct Middle : Node<Bucket> {
    std::array<std::uint8_t, 64> logs{};  // of the buckets

    static void destroy(const Middle* middle) { delete middle; }
    static Ref<Middle> changed(const Middle* old, std::size_t at, Ref<Bucket> bucket) {
      auto middle = std::make_unique<Middle>();
      if (old != nullptr) {
        middle->nodes = old->nodes;
        middle->logs = old->logs;
      }
      middle->logs[at] = bucket ? bucket->log() : 0;
      middle->nodes[at] = std::move(bucket);
      return Ref<Middle>(middle.release());
    }
  };
  using Root = Node<Middle>;

  static std::size_t high(std::uint64_t hash) { return hash >> 58; }
  static std::size_t low(std::uint64_t hash) { return hash >> 52 & 63; }

  const Middle* middle_of(std::uint64_t hash) const {
    return root_ ? root_->nodes[high(hash)].get() : nullptr;
  }
  // A bucket, null when there is none, and its log.
  struct Place {
    const Bucket* bucket = nullptr;
    std::uint8_t log = 0;
  };
  Place place_of(std::uint64_t hash) const {
    const Middle* middle = middle_of(hash);
    if (middle == nullptr) return {};
    return {middle->nodes[low(hash)].get(), middle->logs[low(hash)]};
  }
  const typename Bucket::Slot* locate(std::string_view key, std::uint64_t hash) const {
    const Place at = place_of(hash);
    return at.bucket == nullptr ? nullptr : at.bucket->find(key, hash, at.log);
  }

  PersistentMap changed(std::string_view key, Pointer value) const {
    const std::uint64_t hash = hash_bytes(key);
    const bool present = locate(key, hash) != nullptr;
    const bool removes = value == nullptr;
    if (removes && !present) return *this;
    auto bucket = Bucket::changed(place_of(hash).bucket, key, hash, std::move(value));
    auto middle = Middle::changed(middle_of(hash), low(hash), std::move(bucket));
    PersistentMap out;
    out.root_ = Root::changed(root_.get(), high(hash), std::move(middle));
    out.size_ = size_ + (present ? 0 : 1) - (removes ? 1 : 0);
    return out;
  }

  Ref<Root> root_;
  std::size_t size_ = 0;
};

}  // namespace weir::base
