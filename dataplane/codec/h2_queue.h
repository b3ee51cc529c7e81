#pragma once

#include <cstddef>
#include <vector>

#include "dataplane/worker/buffer.h"

namespace weir::codec {

// Bytes that wait, in order. Large owned slices are kept by reference; small and borrowed ones are
// copied, packed into shared chunks, so that many small pieces cost no more memory than their
// bytes. Empty, it owns no chunk. One thread.
class H2Queue {
 public:
  static constexpr std::size_t kByReference = 4096;  // from this size on

  H2Queue() = default;
  H2Queue(const H2Queue&) = delete;
  H2Queue& operator=(const H2Queue&) = delete;
  ~H2Queue() { clear(); }

  bool empty() const { return bytes_ == 0; }
  std::size_t bytes() const { return bytes_; }
  void push(worker::BufferPool& pool, worker::Slice slice);
  void copy(worker::BufferPool& pool, std::string_view bytes);
  // At most this much of the first slice, taken out. Empty when the queue is.
  worker::Slice pop(std::size_t most);
  void clear();

 private:
  void drop_open();

  std::vector<worker::Slice> slices_;
  std::size_t first_ = 0;
  std::size_t bytes_ = 0;
  worker::Chunk* open_ = nullptr;  // the last slice lies in it, and ends where the next byte goes
  std::size_t open_used_ = 0;
};

}  // namespace weir::codec
