#pragma once

#include <cstddef>
#include <new>

#include "common/base/check.h"

namespace weir::upstream {

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
    FreeList& free = list();
    if (free.head == nullptr) return ::operator new(size);
    Node* node = free.head;
    free.head = node->next;
    --free.size;
    return node;
  }
  static void operator delete(void* memory) noexcept {
    FreeList& free = list();
    if (free.size >= kKeep) {
      ::operator delete(memory);
      return;
    }
    free.head = new (memory) Node{free.head};
    ++free.size;
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
  struct FreeList {
    Node* head = nullptr;
    std::size_t size = 0;
    ~FreeList() {
      while (head != nullptr) {
        Node* node = head;
        head = node->next;
        ::operator delete(node);
      }
    }
  };
  static FreeList& list() {
    thread_local FreeList free;
    return free;
  }
};

}  // namespace weir::upstream
