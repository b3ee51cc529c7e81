#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string_view>
#include <utility>

#include "common/base/counted.h"
#include "common/base/prefetch.h"

namespace weir::base {

// A leaf of PersistentMap: entries whose hashes share their upper bits, in a table with open
// addressing and linear probing that is never written after it was made. Among 100,000 keys each
// step of a lookup is fetched from memory, and from another page each time; so a bucket is one
// allocation: behind it stand its 1 << log() slots and then the bytes of its keys. Who knows log()
// beforehand (PersistentMap does) reads the slot first and the bucket itself not at all.
// Immutable: a changed copy shares the values.
template <typename Value>
class alignas(32) PersistentBucket : public Counted {
 public:
  using Pointer = std::shared_ptr<const Value>;
  struct alignas(32) Slot {
    std::uint64_t hash = 0;
    std::uint32_t key_at = 0;  // in the bytes of the keys
    std::uint32_t key_size = 0;
    Pointer value;  // null: the slot is empty
  };

  static void destroy(const PersistentBucket* bucket) {
    std::destroy_n(bucket->slots(), std::size_t{1} << bucket->log_);
    std::destroy_at(bucket);
    ::operator delete(const_cast<PersistentBucket*>(bucket), kAlignment);
  }

  std::uint8_t log() const { return static_cast<std::uint8_t>(log_); }

  // Asks for the memory where the probes for this hash begin, without waiting for it.
  void fetch(std::uint64_t hash, std::uint8_t log) const {
    __builtin_prefetch(&slots()[hash & ((std::size_t{1} << log) - 1)]);
  }
  // A value whose key has this hash, asked for together with the key; or null.
  const Value* fetch_value(std::uint64_t hash, std::uint8_t log) const {
    const Slot* const slot = probe(hash, log, [](const Slot&) { return true; });
    if (slot == nullptr) return nullptr;
    prefetch(keys(log) + slot->key_at, slot->key_size);
    prefetch_value(*slot);
    return slot->value.get();
  }

  // The slot of this key, or null. log: of this bucket. A value that is found was asked for while
  // the key was compared.
  const Slot* find(std::string_view key, std::uint64_t hash, std::uint8_t log) const {
    return probe(hash, log, [&](const Slot& slot) {
      prefetch_value(slot);
      return key_of(slot, log) == key;
    });
  }

  // Calls visit(key, value) for every entry, in no particular order.
  template <typename Visit>
  void for_each(Visit&& visit) const {
    for_each_slot([&](const Slot& slot) { visit(key_of(slot, log()), slot.value); });
  }

  // A copy of `old` (which may be none) with this value; an empty value removes a key that is
  // there. Null when nothing is left.
  static Ref<PersistentBucket> changed(const PersistentBucket* old, std::string_view key,
                                       std::uint64_t hash, Pointer value) {
    const Slot* const before = old == nullptr ? nullptr : old->find(key, hash, old->log());
    const auto each_kept = [&](auto&& visit) {
      if (old == nullptr) return;
      old->for_each_slot([&](const Slot& slot) {
        if (&slot != before) visit(slot);
      });
    };
    std::size_t size = 0;
    std::size_t bytes = 0;
    const auto make_room = [&](std::size_t key_size) {
      ++size;
      bytes += key_size;
    };
    each_kept([&](const Slot& slot) { make_room(slot.key_size); });
    if (value != nullptr) make_room(key.size());
    if (size == 0) return {};
    PersistentBucket* const bucket = make(size, bytes);
    each_kept([&](const Slot& slot) {
      bucket->put(old->key_of(slot, old->log()), slot.hash, slot.value);
    });
    if (value != nullptr) bucket->put(key, hash, std::move(value));
    return Ref<PersistentBucket>(bucket);
  }

 private:
  explicit PersistentBucket(std::uint32_t log) : log_(log) {
    std::uninitialized_value_construct_n(const_cast<Slot*>(slots()), std::size_t{1} << log_);
  }

  // With room for so many entries, at most seven slots of eight taken where there are more than a
  // few, and for so many bytes of keys.
  static PersistentBucket* make(std::size_t size, std::size_t bytes) {
    const std::size_t slots = std::bit_ceil(size + size / 7);
    const std::size_t room = sizeof(PersistentBucket) + slots * sizeof(Slot) + bytes;
    return new (::operator new(room, kAlignment))
        PersistentBucket(static_cast<std::uint32_t>(std::countr_zero(slots)));
  }
  void put(std::string_view key, std::uint64_t hash, Pointer value) {
    const std::size_t mask = (std::size_t{1} << log_) - 1;
    std::size_t at = hash & mask;
    while (slots()[at].value != nullptr) at = (at + 1) & mask;
    std::copy(key.begin(), key.end(), const_cast<char*>(keys(log())) + key_bytes_);
    const_cast<Slot*>(slots())[at] = {hash, key_bytes_, static_cast<std::uint32_t>(key.size()),
                                      std::move(value)};
    key_bytes_ += static_cast<std::uint32_t>(key.size());
  }

  // The first slot with this hash that `wanted` says yes to, or null.
  template <typename Predicate>
  const Slot* probe(std::uint64_t hash, std::uint8_t log, const Predicate& wanted) const {
    const std::size_t mask = (std::size_t{1} << log) - 1;
    for (std::size_t step = 0; step <= mask; ++step) {
      const Slot& slot = slots()[(hash + step) & mask];
      if (slot.value == nullptr) return nullptr;
      if (slot.hash == hash && wanted(slot)) return &slot;
    }
    return nullptr;
  }
  static void prefetch_value(const Slot& slot) {
    prefetch(slot.value.get(), std::min<std::size_t>(sizeof(Value), 256));
  }
  template <typename Visit>
  void for_each_slot(Visit&& visit) const {
    for (std::size_t i = 0; i < std::size_t{1} << log_; ++i) {
      if (slots()[i].value != nullptr) visit(slots()[i]);
    }
  }
  const Slot* slots() const { return reinterpret_cast<const Slot*>(this + 1); }
  const char* keys(std::uint8_t log) const {
    return reinterpret_cast<const char*>(slots() + (std::size_t{1} << log));
  }
  std::string_view key_of(const Slot& slot, std::uint8_t log) const {
    return {keys(log) + slot.key_at, slot.key_size};
  }

  static constexpr std::align_val_t kAlignment{32};
  const std::uint32_t log_;
  std::uint32_t key_bytes_ = 0;
};

}  // namespace weir::base
