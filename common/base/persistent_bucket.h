#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <utility>

#include "common/base/counted.h"
#include "common/base/prefetch.h"

// The leaves of PersistentMap. Among 100,000 keys each step of a lookup is fetched from memory, so
// what belongs together is one allocation: a bucket with its tags and slots, an entry with its key.

namespace weir::base {

// A key and its value. Shared between the copies of a bucket. The key's bytes stand behind it.
template <typename Value>
class PersistentEntry : public Counted {
 public:
  using Pointer = std::shared_ptr<const Value>;

  static Ref<PersistentEntry> make(std::string_view key, Pointer value) {
    void* room = ::operator new(sizeof(PersistentEntry) + key.size());
    auto* entry = new (room) PersistentEntry(key.size(), std::move(value));
    std::copy(key.begin(), key.end(), reinterpret_cast<char*>(entry + 1));
    return Ref<PersistentEntry>(entry);
  }
  static void destroy(const PersistentEntry* entry) {
    std::destroy_at(entry);
    ::operator delete(const_cast<PersistentEntry*>(entry));
  }

  std::string_view key() const { return {reinterpret_cast<const char*>(this + 1), key_size_}; }
  const Pointer& value() const { return value_; }

 private:
  PersistentEntry(std::size_t key_size, Pointer value)
      : key_size_(static_cast<std::uint32_t>(key_size)), value_(std::move(value)) {}

  const std::uint32_t key_size_;
  const Pointer value_;
};

// Entries whose hashes share their upper bits, in no particular order. Immutable: a changed copy
// shares the entries. Behind it stand size() slots and then size() tags.
template <typename Value>
class PersistentBucket : public Counted {
 public:
  using Entry = PersistentEntry<Value>;
  using Pointer = typename Entry::Pointer;
  // What a lookup reads of an entry: its value is asked for while the key is compared.
  struct Slot {
    Ref<Entry> entry;
    const Value* value;
  };

  static void destroy(const PersistentBucket* bucket) {
    std::destroy_n(bucket->slots(), bucket->size_);
    std::destroy_at(bucket);
    ::operator delete(const_cast<PersistentBucket*>(bucket));
  }

  std::size_t size() const { return size_; }
  const Slot* begin() const { return slots(); }
  const Slot* end() const { return slots() + size_; }

  // The slot of this key, or end().
  const Slot* find(std::string_view key, std::uint64_t hash) const {
    const std::uint16_t tag = tag_of(hash);
    const std::uint16_t* const all = tags();
    for (std::size_t i = 0; i < size_; ++i) {
      if (all[i] != tag) continue;
      const Slot& slot = slots()[i];
      prefetch(slot.value, std::min<std::size_t>(sizeof(Value), 256));
      if (slot.entry->key() == key) return &slot;
    }
    return end();
  }

  // A copy of `old` (which may be none) with this value; an empty value removes a key that is
  // there. Null when nothing is left.
  static Ref<PersistentBucket> changed(const PersistentBucket* old, std::string_view key,
                                       std::uint64_t hash, Pointer value) {
    const std::size_t before = old == nullptr ? 0 : old->size_;
    const std::size_t at =
        old == nullptr ? 0 : static_cast<std::size_t>(old->find(key, hash) - old->begin());
    const bool adds = value != nullptr;
    const std::size_t size = before - (at < before ? 1 : 0) + (adds ? 1 : 0);
    if (size == 0) return {};
    auto* bucket = new (::operator new(bytes_of(size))) PersistentBucket(size);
    std::size_t next = 0;
    for (std::size_t i = 0; i < before; ++i) {
      if (i != at) bucket->put(next++, old->slots()[i], old->tags()[i]);
    }
    if (adds) {
      const Value* plain = value.get();
      bucket->put(next, {Entry::make(key, std::move(value)), plain}, tag_of(hash));
    }
    return Ref<PersistentBucket>(bucket);
  }

 private:
  explicit PersistentBucket(std::size_t size) : size_(static_cast<std::uint32_t>(size)) {}

  // Of the hash, bits that do not choose the bucket.
  static std::uint16_t tag_of(std::uint64_t hash) { return static_cast<std::uint16_t>(hash); }
  static std::size_t bytes_of(std::size_t size) {
    return sizeof(PersistentBucket) + size * (sizeof(Slot) + sizeof(std::uint16_t));
  }
  void put(std::size_t at, Slot slot, std::uint16_t tag) {
    new (const_cast<Slot*>(slots()) + at) Slot(std::move(slot));
    const_cast<std::uint16_t*>(tags())[at] = tag;
  }
  const Slot* slots() const { return reinterpret_cast<const Slot*>(this + 1); }
  const std::uint16_t* tags() const {
    return reinterpret_cast<const std::uint16_t*>(slots() + size_);
  }

  const std::uint32_t size_;
};

}  // namespace weir::base
