#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/hash.h"
#include "common/base/prefetch.h"

namespace weir::base {

// An immutable map from text to shared values whose copies share structure: a changed copy costs
// one bucket and two small arrays (64 pointers each), whatever the size of the map. Two levels of
// 64, so 4,096 buckets: 100,000 keys are about 25 a bucket.
//
//   Threads: any number may read one map; with() and without() make a new map and leave the old one
//   as it was. Lookup:  one hash, two array reads, a scan over 8-byte tags, one key compare.
//
// Invariants: (1) a bucket's entries have distinct keys; (2) size_ is the number of entries; (3)
// published nodes never change; (4) tags[i] of a bucket is the hash of entries[i].
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
        for (const auto& entry : bucket->entries) {
          visit(std::string_view(entry->key), *entry->value);
        }
      }
    }
  }

 private:
  // Shared between the copies of a bucket, so that a change copies pointers and no keys.
  struct Entry {
    std::string key;
    Pointer value;
  };
  struct Bucket {
    std::vector<std::uint64_t> tags;
    std::vector<std::shared_ptr<const Entry>> entries;

    std::size_t position(std::string_view key, std::uint64_t hash) const {
      for (std::size_t i = 0; i < tags.size(); ++i) {
        if (tags[i] != hash) continue;
        // The value's first lines come from memory while the key is compared.
        prefetch(entries[i]->value.get(), std::min<std::size_t>(sizeof(Value), 256));
        if (entries[i]->key == key) return i;
      }
      return tags.size();
    }
    // An empty value removes.
    void change(std::string_view key, std::uint64_t hash, Pointer value) {
      const std::size_t at = position(key, hash);
      const auto offset = static_cast<std::ptrdiff_t>(at);
      if (value == nullptr) {
        tags.erase(tags.begin() + offset);
        entries.erase(entries.begin() + offset);
        return;
      }
      auto entry = std::make_shared<const Entry>(Entry{std::string(key), std::move(value)});
      if (at < tags.size()) {
        entries[at] = std::move(entry);
      } else {
        tags.push_back(hash);
        entries.push_back(std::move(entry));
      }
    }
  };
  using Middle = std::array<std::shared_ptr<const Bucket>, 64>;
  using Root = std::array<std::shared_ptr<const Middle>, 64>;

  static std::size_t high(std::uint64_t hash) { return hash >> 58; }
  static std::size_t low(std::uint64_t hash) { return hash >> 52 & 63; }

  const Pointer* locate(std::string_view key, std::uint64_t hash) const {
    if (root_ == nullptr) return nullptr;
    const Middle* middle = (*root_)[high(hash)].get();
    const Bucket* bucket = middle == nullptr ? nullptr : (*middle)[low(hash)].get();
    if (bucket == nullptr) return nullptr;
    const std::size_t at = bucket->position(key, hash);
    return at == bucket->tags.size() ? nullptr : &bucket->entries[at]->value;
  }

  template <typename Node>
  static std::shared_ptr<Node> copy_of(const std::shared_ptr<const Node>& node) {
    return node == nullptr ? std::make_shared<Node>() : std::make_shared<Node>(*node);
  }

  PersistentMap changed(std::string_view key, Pointer value) const {
    const std::uint64_t hash = hash_bytes(key);
    const bool present = locate(key, hash) != nullptr;
    const bool removes = value == nullptr;
    if (removes && !present) return *this;
    auto root = copy_of(root_);
    auto middle = copy_of((*root)[high(hash)]);
    auto bucket = copy_of((*middle)[low(hash)]);
    bucket->change(key, hash, std::move(value));
    (*middle)[low(hash)] = bucket->tags.empty() ? nullptr : std::move(bucket);
    (*root)[high(hash)] = std::move(middle);
    PersistentMap out;
    out.root_ = std::move(root);
    out.size_ = size_ + (present ? 0 : 1) - (removes ? 1 : 0);
    return out;
  }

  std::shared_ptr<const Root> root_;
  std::size_t size_ = 0;
};

}  // namespace weir::base
