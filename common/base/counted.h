#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace weir::base {

// Counts the owners of an object that says itself how it is made and ended, such as one whose items
// stand behind it in the same allocation. Base of such objects; owners are Counted's Ref.
class Counted {
 public:
  Counted() = default;
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  template <typename Node>
  friend class Ref;
  mutable std::atomic<std::uint32_t> owners_{1};
};

// Owns a const Node, together with its other owners; the last one calls Node::destroy(node). Owners
// of one node may be on several threads; one Ref belongs to one thread at a time. 8 bytes.
template <typename Node>
class Ref {
 public:
  Ref() = default;
  explicit Ref(const Node* made) : node_(made) {}  // takes over what was just made
  Ref(const Ref& other) : node_(other.node_) {
    if (node_ != nullptr) node_->owners_.fetch_add(1, std::memory_order_relaxed);
  }
  Ref(Ref&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~Ref() {
    if (node_ == nullptr) return;
    if (node_->owners_.fetch_sub(1, std::memory_order_acq_rel) == 1) Node::destroy(node_);
  }

  const Node* get() const { return node_; }
  const Node* operator->() const { return node_; }
  const Node& operator*() const { return *node_; }
  explicit operator bool() const { return node_ != nullptr; }

 private:
  const Node* node_ = nullptr;
};

}  // namespace weir::base
