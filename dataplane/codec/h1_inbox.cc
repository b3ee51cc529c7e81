#include "dataplane/codec/h1_inbox.h"

#include <algorithm>
#include <cstring>

#include "common/base/check.h"

namespace weir::codec {

void Inbox::receive(std::string_view bytes) {
  if (view_.empty()) {
    clear();
    view_ = bytes;
    return;
  }
  WEIR_CHECK(chunk_ != nullptr);
  const auto end = static_cast<std::size_t>(view_.data() + view_.size() - chunk_->data());
  if (chunk_->capacity - end < bytes.size()) {
    // Doubling keeps the copying linear when a head arrives byte by byte.
    move_to_chunk(std::max(view_.size() + bytes.size(), 2 * view_.size()));
  }
  std::memcpy(chunk_->data() + (view_.data() + view_.size() - chunk_->data()), bytes.data(),
              bytes.size());
  view_ = {view_.data(), view_.size() + bytes.size()};
}

void Inbox::settle() {
  if (view_.empty()) {
    clear();
  } else if (chunk_ == nullptr) {
    move_to_chunk(view_.size());
  }
}

void Inbox::skip(std::size_t n) {
  view_.remove_prefix(n);
  drop_if_empty();
}

worker::Slice Inbox::take(std::size_t n) {
  const std::string_view bytes = view_.substr(0, n);
  worker::Slice slice = worker::Slice::borrowed(bytes);
  if (chunk_ != nullptr) {
    ++chunk_->refs;
    slice = worker::Slice(bytes, chunk_);
  }
  skip(n);
  return slice;
}

void Inbox::clear() {
  view_ = {};
  drop_if_empty();
}

void Inbox::move_to_chunk(std::size_t room) {
  worker::Chunk* chunk = pool_.take(room);
  std::memcpy(chunk->data(), view_.data(), view_.size());
  view_ = {chunk->data(), view_.size()};
  if (chunk_ != nullptr) pool_.release(chunk_);
  chunk_ = chunk;
}

void Inbox::drop_if_empty() {
  if (!view_.empty() || chunk_ == nullptr) return;
  pool_.release(chunk_);
  chunk_ = nullptr;
}

}  // namespace weir::codec
