#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/hash.h"

namespace weir::base {

// An immutable map from text to shared values whose copies share structure: a changed copy costs
// one bucket and two small arrays (64 pointers each), whatever the size of the map. Two levels of
// 64, so 4,096 buckets: 100,000 keys are about 25 a bucket.
//
//   Threads: any number may read one map; with() and without() make a new map and leave the old one
//   as it was. Lookup:  one hash, two array reads, a scan over 8-byte tags.
//
// Invariants: (1) a bucket's entries have distinct keys; (2) size_ is the number of entries; (3)
// published nodes never change.
template <typename Value>
class PersistentMap {
 public:
  using Pointer = std::shared_ptr<const Value>;

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // The value, or null. The pointer is valid as long as this map (or a copy) lives.
  const Value* find(std::string_view key) const { return find(key, hash_bytes(key)); }
  const Value* find(std::string_view key, std::uint64_t hash) const {
    const Pointer* found = locate(key, hash);
    return found == nullptr ? nullptr : found->get();
  }
  Pointer share(std::string_view key) const {
    const Pointer* found = locate(key, hash_bytes(key));
    return found == nullptr ? nullptr : *found;
  }

  [[nodiscard]] PersistentMap with(std::string_view key, Pointer value) const {
    return changed(key, std::move(value));
  }
  [[nodiscard]] PersistentMap without(std::string_view key) const { return changed(key, nullptr); }

  // Calls visit(key, value) for every entry, in no particular order.
  template <typename Visit>
  void for_each(Visit&& visit) const {
    if (root_ == nullptr) return;
    for (const auto& middle : *root_) {
      if (middle == nullptr) continue;
      for (const auto& bucket : *middle) {
        if (bucket == nullptr) continue;
        for (const Entry& entry : *bucket) visit(std::string_view(entry.key), *entry.value);
      }
    }
  }

 private:
  struct Entry {
    std::uint64_t hash;
    std::string key;
    Pointer value;
  };
  using Bucket = std::vector<Entry>;
  using Middle = std::array<std::shared_ptr<const Bucket>, 64>;
  using Root = std::array<std::shared_ptr<const Middle>, 64>;

  static std::size_t high(std::uint64_t hash) { return hash >> 58; }
  static std::size_t low(std::uint64_t hash) { return hash >> 52 & 63; }

  const Pointer* locate(std::string_view key, std::uint64_t hash) const {
    if (root_ == nullptr) return nullptr;
    const Middle* middle = (*root_)[high(hash)].get();
    const Bucket* bucket = middle == nullptr ? nullptr : (*middle)[low(hash)].get();
    if (bucket == nullptr) return nullptr;
    for (const Entry& entry : *bucket) {
      if (entry.hash == hash && entry.key == key) return &entry.value;
    }
    return nullptr;
  }

  PersistentMap changed(std::string_view key, Pointer value) const {
    const std::uint64_t hash = hash_bytes(key);
    auto root = root_ == nullptr ? std::make_shared<Root>() : std::make_shared<Root>(*root_);
    auto& old_middle = (*root)[high(hash)];
    auto middle =
        old_middle == nullptr ? std::make_shared<Middle>() : std::make_shared<Middle>(*old_middle);
    auto& old_bucket = (*middle)[low(hash)];
    auto bucket =
        old_bucket == nullptr ? std::make_shared<Bucket>() : std::make_shared<Bucket>(*old_bucket);

    PersistentMap out;
    out.size_ = size_;
    auto at = bucket->begin();
    while (at != bucket->end() && !(at->hash == hash && at->key == key)) ++at;
    if (value == nullptr) {
      if (at == bucket->end()) return *this;
      bucket->erase(at);
      --out.size_;
    } else if (at != bucket->end()) {
      at->value = std::move(value);
    } else {
      bucket->push_back(Entry{hash, std::string(key), std::move(value)});
      ++out.size_;
    }
    old_bucket = bucket->empty() ? nullptr : std::shared_ptr<const Bucket>(std::move(bucket));
    old_middle = std::move(middle);
    out.root_ = std::move(root);
    return out;
  }

  std::shared_ptr<const Root> root_;
  std::size_t size_ = 0;
};

}  // namespace weir::base
