#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <variant>

#include "common/base/few_first.h"
#include "common/base/hash.h"
#include "common/base/persistent_map.h"
#include "common/base/prefetch.h"

namespace weir::routing {

// A persistent map for the inside of a host: most hosts have a handful of routes, some have
// thousands. Up to kMostFlat entries it is one list of (hash, value), of which the first Near stand
// in the map itself; beyond, a PersistentMap. Values name their own key: value.key(). Any number of
// threads may read.
template <typename Value, std::size_t Near>
class HybridMap {
 public:
  static constexpr std::size_t kMostFlat = 16;
  using Pointer = std::shared_ptr<const Value>;

  std::size_t size() const { return flat() ? flat()->size() : map()->size(); }
  bool empty() const { return size() == 0; }

  const Value* find(std::string_view key) const {
    const std::uint64_t hash = base::hash_bytes(key);
    if (const auto* items = flat()) {
      const Item* found = items->find_if(
          [key, hash](const Item& item) { return item.hash == hash && item.value->key() == key; });
      return found == nullptr ? nullptr : found->value.get();
    }
    return map()->find(key, hash);
  }

  // Asks for the memory of the first values, without waiting for it.
  void fetch() const {
    if (const auto* items = flat())
      items->each_first([](const Item& item) {
        base::prefetch(item.value.get(), std::min<std::size_t>(sizeof(Value), 128));
      });
  }

  // Adds or replaces the entry of value's key.
  void set(Pointer value) {
    if (auto* items = flat()) {
      const std::uint64_t hash = base::hash_bytes(value->key());
      drop(*items, value->key(), hash);
      items->push_back(Item{hash, std::move(value)});
      if (items->size() > kMostFlat) grow();
    } else {
      const std::string_view key = value->key();
      *map() = map()->with(key, std::move(value));
    }
  }
  void remove(std::string_view key) {
    if (auto* items = flat()) {
      drop(*items, key, base::hash_bytes(key));
    } else {
      *map() = map()->without(key);
      // Well below the limit, so that a host around it does not change form with every edit.
      if (map()->size() <= kMostFlat / 2) shrink();
    }
  }

  template <typename Visit>
  void for_each(Visit&& visit) const {
    if (const auto* items = flat()) {
      for (const Item& item : *items) visit(*item.value);
    } else {
      map()->for_each([&visit](std::string_view, const Value& value) { visit(value); });
    }
  }

 private:
  struct Item {
    std::uint64_t hash = 0;
    Pointer value;
  };
  using Flat = base::FewFirst<Item, Near>;
  using Map = base::PersistentMap<Value>;

  const Flat* flat() const { return std::get_if<Flat>(&state_); }
  Flat* flat() { return std::get_if<Flat>(&state_); }
  const Map* map() const { return std::get_if<Map>(&state_); }
  Map* map() { return std::get_if<Map>(&state_); }

  static void drop(Flat& items, std::string_view key, std::uint64_t hash) {
    items.erase_if(
        [key, hash](const Item& item) { return item.hash == hash && item.value->key() == key; });
  }
  void grow() {
    Map out;
    for (const Item& item : *flat()) out = out.with(item.value->key(), item.value);
    state_ = std::move(out);
  }
  void shrink() {
    Flat out;
    const Map from = *map();
    from.for_each([&](std::string_view key, const Value&) {
      out.push_back(Item{base::hash_bytes(key), from.share(key)});
    });
    state_ = std::move(out);
  }

  std::variant<Flat, Map> state_;
};

}  // namespace weir::routing
