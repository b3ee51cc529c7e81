#include "dataplane/codec/h2_queue.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace weir::codec {
namespace {

constexpr std::size_t kMostTaken = 64;  // places of slices that are gone

}  // namespace

void H2Queue::push(worker::BufferPool& pool, worker::Slice slice) {
  if (slice.empty()) return;
  if (slice.is_borrowed() || slice.size() < kByReference) return copy(pool, slice.bytes());
  drop_open();
  bytes_ += slice.size();
  slices_.push_back(std::move(slice));
}

void H2Queue::copy(worker::BufferPool& pool, std::string_view bytes) {
  bytes_ += bytes.size();
  while (!bytes.empty()) {
    const bool extends = open_ != nullptr && open_used_ < open_->capacity;
    if (!extends) {
      drop_open();
      open_ = pool.take(bytes.size() <= worker::BufferPool::kSmall ? worker::BufferPool::kSmall
                                                                   : worker::BufferPool::kLarge);
      open_used_ = 0;
    }
    const std::size_t part = std::min(bytes.size(), open_->capacity - open_used_);
    char* const to = open_->data() + open_used_;
    std::memcpy(to, bytes.data(), part);
    open_used_ += part;
    bytes.remove_prefix(part);
    ++open_->refs;
    if (extends && slices_.size() > first_) {
      const std::string_view before = slices_.back().bytes();
      slices_.back() = worker::Slice({before.data(), before.size() + part}, open_);
    } else {
      slices_.emplace_back(std::string_view(to, part), open_);
    }
  }
}

worker::Slice H2Queue::pop(std::size_t most) {
  if (bytes_ == 0 || most == 0) return {};
  worker::Slice& front = slices_[first_];
  const std::size_t size = std::min(most, front.size());
  bytes_ -= size;
  worker::Slice out;
  if (size < front.size()) {
    out = front.part(0, size);
    front.remove_prefix(size);
    return out;
  }
  out = std::move(front);
  ++first_;
  if (bytes_ == 0) {
    slices_.clear();
    first_ = 0;
    drop_open();
  } else if (first_ >= kMostTaken && first_ * 2 > slices_.size()) {
    slices_.erase(slices_.begin(), slices_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
  return out;
}

void H2Queue::clear() {
  slices_.clear();
  first_ = bytes_ = 0;
  drop_open();
}

void H2Queue::drop_open() {
  if (worker::Chunk* chunk = std::exchange(open_, nullptr)) chunk->pool->release(chunk);
}

}  // namespace weir::codec
