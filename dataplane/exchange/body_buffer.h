#pragma once

#include <vector>

#include "dataplane/worker/buffer.h"

namespace weir::exchange {

// The one place where an exchange keeps body bytes: for filters that want the whole body first, and
// for sending a request again. Small pieces are packed into 16 KiB chunks, so that a body sent byte
// by byte costs no more than its size; chunks are charged to the worker's budget by their pool.
class BodyBuffer {
 public:
  explicit BodyBuffer(worker::BufferPool& pool) : pool_(pool) {}

  // False when more than limit bytes would be held: nothing is taken then.
  [[nodiscard]] bool append(const worker::Slice& data, std::size_t limit);
  std::size_t size() const { return size_; }
  const std::vector<worker::Slice>& slices() const { return slices_; }
  void clear();

 private:
  void pack(std::string_view bytes);

  worker::BufferPool& pool_;
  std::vector<worker::Slice> slices_;
  std::size_t size_ = 0;
  worker::Chunk* tail_ = nullptr;  // the last slice's chunk, while it has room; held by that slice
  std::size_t tail_used_ = 0;
};

}  // namespace weir::exchange
