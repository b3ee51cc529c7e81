#include "dataplane/exchange/body_buffer.h"

#include <algorithm>
#include <cstring>

namespace weir::exchange {

bool BodyBuffer::append(const worker::Slice& data, std::size_t limit) {
  if (data.size() > limit - std::min(limit, size_)) return false;
  size_ += data.size();
  const bool worth_sharing = !data.is_borrowed() && data.size() >= worker::BufferPool::kSmall;
  if (worth_sharing) {
    slices_.push_back(data);
    tail_ = nullptr;
  } else {
    pack(data.bytes());
  }
  return true;
}

void BodyBuffer::pack(std::string_view bytes) {
  while (!bytes.empty()) {
    if (tail_ == nullptr) {
      tail_ = pool_.take(worker::BufferPool::kLarge);
      tail_used_ = 0;
      slices_.push_back(worker::Slice({tail_->data(), 0}, tail_));
    }
    const std::size_t part = std::min<std::size_t>(bytes.size(), tail_->capacity - tail_used_);
    std::memcpy(tail_->data() + tail_used_, bytes.data(), part);
    tail_used_ += part;
    bytes.remove_prefix(part);
    // The old view goes only after the new one holds the chunk.
    ++tail_->refs;
    slices_.back() = worker::Slice({tail_->data(), tail_used_}, tail_);
    if (tail_used_ == tail_->capacity) tail_ = nullptr;
  }
}

void BodyBuffer::clear() {
  slices_.clear();
  size_ = 0;
  tail_ = nullptr;
}

}  // namespace weir::exchange
