#pragma once

#include <cstddef>
#include <new>

#include "common/base/check.h"

namespace weir::upstream {

// Memory of ended objects that a thread keeps for the next ones of their size. One thread.
class RecycledMemory {
 public:
  RecycledMemory() : next_(first()) { first() = this; }
  ~RecycledMemory() { trim(); }
  RecycledMemory(const RecycledMemory&) = delete;
  RecycledMemory& operator=(const RecycledMemory&) = delete;

  void* take(std::size_t size) {
    if (head_ == nullptr) return ::operator new(size);
    Node* const node = head_;
    head_ = node->next;
    --size_;
    return node;
  }
  void give(void* memory) noexcept {
    if (size_ >= kKeep) return ::operator delete(memory);
    head_ = new (memory) Node{head_};
    ++size_;
  }
  void trim() noexcept {
    for (Node* node = head_; node != nullptr;) {
      Node* const next = node->next;
      ::operator delete(node);
      node = next;
    }
    head_ = nullptr;
    size_ = 0;
  }
  // Frees what this thread keeps, of all classes.
  static void trim_thread() noexcept {
    for (RecycledMemory* one = first(); one != nullptr; one = one->next_) one->trim();
  }

 private:
#ifdef __SANITIZE_ADDRESS__
  static constexpr std::size_t kKeep = 0;
#else
  static constexpr std::size_t kKeep = 1024;
#endif
  struct Node {
    Node* next;
  };
  static RecycledMemory*& first() {
    thread_local RecycledMemory* all = nullptr;
    return all;
  }

  RecycledMemory* const next_;
  Node* head_ = nullptr;
  std::size_t size_ = 0;
};

// Gives a final class memory from a free list of the thread it lives on, so that an object per
// request costs no allocation once traffic is steady. The object itself is made afresh each time:
// no state can leak from one request to the next. An object must die on the thread that made it.
// Under AddressSanitizer nothing is kept, so that a stale pointer is still found.
//
//   class PooledAttempt final : public Attempt, public Recycled<PooledAttempt> { ... };
template <typename T>
class Recycled {
 public:
  static void* operator new(std::size_t size) {
    WEIR_CHECK(size == sizeof(T));
    return memory().take(size);
  }
  static void operator delete(void* memory) noexcept { Recycled::memory().give(memory); }

 private:
  static RecycledMemory& memory() {
    thread_local RecycledMemory kept;
    return kept;
  }
};

}  // namespace weir::upstream
