#pragma once

#include <cstddef>
#include <iterator>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "common/base/check.h"

namespace weir::base {

// At most `most` values by name; one more takes the place of what was used longest ago. One thread.
template <class Value>
class LruTable {
 public:
  explicit LruTable(std::size_t most) : most_(most) { WEIR_CHECK(most > 0); }
  LruTable(const LruTable&) = delete;  // by_key_ looks into order_
  LruTable& operator=(const LruTable&) = delete;

  // Null: there is none. What is found counts as used. Valid until the next call that is not const.
  Value* find(std::string_view key) {
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return nullptr;
    order_.splice(order_.begin(), order_, found->second);
    order_.front().used = true;
    return &order_.front().value;
  }

  // The key must be a new one. Valid until the next call that is not const.
  Value& add(std::string key, Value value) {
    order_.push_front(Node{std::move(key), std::move(value)});
    WEIR_CHECK(by_key_.emplace(order_.front().key, order_.begin()).second);
    if (order_.size() > most_) drop(std::prev(order_.end()));
    return order_.front().value;
  }

  template <class Condition>
  void drop_if(const Condition& condition) {
    for (auto at = order_.begin(); at != order_.end();) {
      const auto next = std::next(at);
      if (condition(std::as_const(at->value))) drop(at);
      at = next;
    }
  }

  // Drops what was neither found nor added since the last call.
  void drop_unused() {
    for (auto at = order_.begin(); at != order_.end();) {
      const auto next = std::next(at);
      if (!std::exchange(at->used, false)) drop(at);
      at = next;
    }
  }

  std::size_t size() const { return order_.size(); }

 private:
  struct Node {
    std::string key;
    Value value;
    bool used = true;
  };
  using Place = typename std::list<Node>::iterator;

  void drop(Place at) {
    by_key_.erase(at->key);
    order_.erase(at);
  }

  std::size_t most_;
  std::list<Node> order_;                               // most recently used first
  std::unordered_map<std::string_view, Place> by_key_;  // views into order_
};

}  // namespace weir::base
