#include "dataplane/transport/out_queue.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "common/base/check.h"

namespace weir::transport {
namespace {

constexpr std::size_t kCopied = 1024;  // a slice this short may be copied behind the last one

}  // namespace

void OutQueue::push(worker::Slice slice) {
  if (slice.empty()) return;
  bytes_ += slice.size();
  if (overflow_ == nullptr && count_ < kInline) {
    inline_[count_++] = std::move(slice);
    return;
  }
  // Many short answers to a client that takes none would each hold a chunk.
  if (overflow_ != nullptr && slice.size() <= kCopied &&
      overflow_->slices.back().append(slice.bytes())) {
    return;
  }
  if (overflow_ == nullptr) overflow_ = std::make_unique<Overflow>();
  overflow_->slices.push_back(std::move(slice));
}

std::size_t OutQueue::gather(std::span<iovec> out) const {
  std::size_t filled = 0;
  each([&](const worker::Slice& slice) {
    if (filled == out.size()) return false;
    // sendmsg does not write through the pointer; its type merely lacks the const.
    out[filled++] = iovec{const_cast<char*>(slice.bytes().data()), slice.size()};
    return true;
  });
  return filled;
}

const worker::Slice& OutQueue::front() const {
  WEIR_CHECK(bytes_ > 0);
  return first_ < count_ ? inline_[first_] : overflow_->slices[overflow_->first];
}

worker::Slice& OutQueue::front_slot() {
  return first_ < count_ ? inline_[first_] : overflow_->slices[overflow_->first];
}

void OutQueue::drop_front() {
  if (first_ < count_) {
    inline_[first_++] = worker::Slice();
  } else {
    overflow_->slices[overflow_->first++] = worker::Slice();
  }
}

void OutQueue::consume(std::size_t bytes) {
  WEIR_CHECK(bytes <= bytes_);
  bytes_ -= bytes;
  while (bytes > 0) {
    worker::Slice& slice = front_slot();
    if (slice.size() > bytes) {
      slice.remove_prefix(bytes);
      return;
    }
    bytes -= slice.size();
    drop_front();
  }
  if (bytes_ == 0) clear();
}

bool OutQueue::has_borrowed() const {
  bool found = false;
  each([&](const worker::Slice& slice) {
    found = slice.is_borrowed();
    return !found;
  });
  return found;
}

void OutQueue::keep(worker::BufferPool& pool) {
  if (!has_borrowed()) return;
  OutQueue kept;
  std::vector<std::string_view> run;
  std::size_t run_bytes = 0;
  const auto end_run = [&] {
    if (run_bytes == 0) return;
    worker::Chunk* chunk = pool.take(run_bytes);
    char* at = chunk->data();
    for (const std::string_view part : run) {
      std::memcpy(at, part.data(), part.size());
      at += part.size();
    }
    kept.push(worker::Slice(std::string_view(chunk->data(), run_bytes), chunk));
    run.clear();
    run_bytes = 0;
  };
  each([&](const worker::Slice& slice) {
    if (slice.is_borrowed()) {
      run.push_back(slice.bytes());
      run_bytes += slice.size();
    } else {
      end_run();
      kept.push(slice);
    }
    return true;
  });
  end_run();
  *this = std::move(kept);
}

void OutQueue::clear() { *this = OutQueue(); }

OutQueue OutQueue::take() {
  OutQueue out;
  std::swap(out, *this);
  return out;
}

}  // namespace weir::transport
