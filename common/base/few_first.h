#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>
#include <vector>

namespace weir::base {

// A list that mostly has few items: the first N stand in the object, so that reading them fetches
// no other memory; what is beyond stands in a vector. Items are default constructible; adding one
// may move those beyond the first N.
template <typename T, std::size_t N>
class FewFirst {
  static_assert(N > 0);

 public:
  std::size_t size() const { return near_ + far_.size(); }
  bool empty() const { return near_ == 0; }
  T& operator[](std::size_t at) { return at < N ? first_[at] : far_[at - N]; }
  const T& operator[](std::size_t at) const { return at < N ? first_[at] : far_[at - N]; }

  void push_back(T item) {
    if (near_ < N) {
      first_[near_++] = std::move(item);
    } else {
      far_.push_back(std::move(item));
    }
  }
  class Iterator {
   public:
    Iterator(const FewFirst& list, std::size_t at) : list_(list), at_(at) {}
    const T& operator*() const { return list_[at_]; }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    bool operator!=(const Iterator& other) const { return at_ != other.at_; }

   private:
    const FewFirst& list_;
    std::size_t at_;
  };
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, size()}; }

  // Calls visit(item) for those of the first N.
  template <typename Visit>
  void each_first(const Visit& visit) const {
    for (std::size_t i = 0; i < near_; ++i) visit(first_[i]);
  }

  void clear() { *this = FewFirst(); }
  // Takes out what `goes` says yes to; the others keep their order.
  template <typename Predicate>
  void erase_if(const Predicate& goes) {
    FewFirst kept;
    for (std::size_t i = 0; i < size(); ++i) {
      if (!goes((*this)[i])) kept.push_back(std::move((*this)[i]));
    }
    *this = std::move(kept);
  }
  // The first item that `wanted` says yes to, or null.
  template <typename Predicate>
  const T* find_if(const Predicate& wanted) const {
    for (std::size_t i = 0; i < near_; ++i) {
      if (wanted(first_[i])) return &first_[i];
    }
    const auto at = std::find_if(far_.begin(), far_.end(), wanted);
    return at == far_.end() ? nullptr : &*at;
  }

 private:
  std::size_t near_ = 0;  // how many of first_ are items; N before far_ has any
  std::array<T, N> first_{};
  std::vector<T> far_;
};

}  // namespace weir::base
