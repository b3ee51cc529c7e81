#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "common/base/fd.h"

namespace weir::observe {

// A ring of bytes between one writing and one reading thread. The memory is mapped twice in a row,
// so that a line never wraps: both sides see it in one piece.
//
// Invariants: (1) taken_ <= given_ <= taken_ + capacity; (2) only the writer moves given_, only the
// reader moves taken_.
class LogRing {
 public:
  // capacity: bytes, a multiple of the page size.
  explicit LogRing(std::size_t capacity);
  ~LogRing();
  LogRing(const LogRing&) = delete;
  LogRing& operator=(const LogRing&) = delete;

  // Writer: room for `most` bytes in one piece, or null when the ring is too full. Then give() says
  // how many were used.
  char* reserve(std::size_t most);
  void give(std::size_t used);
  // Reader: everything that is there, in one piece; take() frees it.
  std::string_view peek() const;
  void take(std::size_t size);

  std::size_t capacity() const { return capacity_; }
  std::size_t used() const {  // a reading of the moment; writer or reader
    return static_cast<std::size_t>(given_.load(std::memory_order_acquire) -
                                    taken_.load(std::memory_order_acquire));
  }

 private:
  const std::size_t capacity_;
  char* memory_ = nullptr;
  alignas(64) std::atomic<std::uint64_t> given_{0};
  alignas(64) std::atomic<std::uint64_t> taken_{0};
};

}  // namespace weir::observe
