#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/worker/buffer.h"

namespace weir::transport {

// Bytes waiting for the kernel, in order. The first slices lie in the object itself, further ones
// in a block that is freed as soon as the queue is empty: an idle connection owns none. One thread.
// Invariant: every slice held is not empty.
class OutQueue {
 public:
  static constexpr std::size_t kInline = 2;

  bool empty() const { return bytes_ == 0; }
  std::size_t bytes() const { return bytes_; }
  void push(worker::Slice slice);  // empty slices are dropped
  // Points iovecs at the first bytes.
  //   returns: how many were filled.
  std::size_t gather(std::span<iovec> out) const;
  void consume(std::size_t bytes);  // drops bytes from the front; bytes <= bytes()
  // Replaces borrowed slices by copies; neighbours share one chunk.
  void keep(worker::BufferPool& pool);
  bool has_borrowed() const;
  void clear();
  // The queue's content; this one is empty afterwards.
  OutQueue take();
  const worker::Slice& front() const;  // precondition: not empty

 private:
  struct Overflow {
    std::vector<worker::Slice> slices;
    std::size_t first = 0;
  };

  // Calls visit(slice) from front to back until it returns false.
  template <typename Visit>
  void each(Visit&& visit) const {
    for (std::size_t i = first_; i < count_; ++i) {
      if (!visit(inline_[i])) return;
    }
    if (overflow_ == nullptr) return;
    for (std::size_t i = overflow_->first; i < overflow_->slices.size(); ++i) {
      if (!visit(overflow_->slices[i])) return;
    }
  }
  worker::Slice& front_slot();
  void drop_front();

  std::array<worker::Slice, kInline> inline_;
  std::unique_ptr<Overflow> overflow_;
  std::size_t bytes_ = 0;
  std::uint8_t first_ = 0;  // of inline_
  std::uint8_t count_ = 0;  // of inline_, consumed ones included
};

}  // namespace weir::transport
