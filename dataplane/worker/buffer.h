#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/budget.h"
#include "common/base/check.h"

namespace weir::worker {

// Buffers of one worker. Everything here belongs to one thread: counts are plain integers.
//
//   Chunk: a block of about 500 bytes, 4 or 16 KiB (or larger, exact) from the worker's free lists,
//     charged to its budget while taken
//   Slice: a view of bytes that keeps its chunk alive, or a *borrowed* view
//   BufferPool: the free lists
//
// A borrowed slice points into the worker's receive scratch and is valid only until the call that
// passed it returns. Whoever wants to keep it calls pool.keep(slice).

class BufferPool;

struct Chunk {
  BufferPool* pool;
  std::uint32_t refs;
  std::uint32_t capacity;
  Chunk* next_free;
  char* data() { return reinterpret_cast<char*>(this + 1); }
};

class Slice {
 public:
  Slice() = default;
  // Takes over one reference to owner, which the bytes lie in.
  Slice(std::string_view bytes, Chunk* owner) : bytes_(bytes), owner_(owner) {}
  static Slice borrowed(std::string_view bytes) { return Slice(bytes, nullptr); }
  Slice(const Slice& other) : bytes_(other.bytes_), owner_(other.owner_) {
    if (owner_ != nullptr) ++owner_->refs;
  }
  Slice(Slice&& other) noexcept
      : bytes_(std::exchange(other.bytes_, {})), owner_(std::exchange(other.owner_, nullptr)) {}
  Slice& operator=(Slice other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(owner_, other.owner_);
    return *this;
  }
  ~Slice();

  std::string_view bytes() const { return bytes_; }
  std::size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }
  bool is_borrowed() const { return owner_ == nullptr && !bytes_.empty(); }
  void remove_prefix(std::size_t n) { bytes_.remove_prefix(n); }
  // Copies bytes behind its own into its chunk: when nobody else refers to that and it has room.
  //   returns: false when it did not.
  bool append(std::string_view bytes) {
    if (owner_ == nullptr || owner_->refs != 1) return false;
    char* const end = owner_->data() + (bytes_.data() - owner_->data()) + bytes_.size();
    const auto used = static_cast<std::size_t>(end - owner_->data());
    if (owner_->capacity - used < bytes.size()) return false;
    std::memcpy(end, bytes.data(), bytes.size());
    bytes_ = {bytes_.data(), bytes_.size() + bytes.size()};
    return true;
  }
  Slice part(std::size_t from, std::size_t size) const {
    Slice out(*this);
    out.bytes_ = bytes_.substr(from, size);
    return out;
  }

 private:
  std::string_view bytes_;
  Chunk* owner_ = nullptr;
};

class BufferPool {
 public:
  // With its Chunk 512 bytes: the half head or piece of a body that a slow client has sent.
  static constexpr std::size_t kTiny = 512 - sizeof(Chunk);
  static constexpr std::size_t kSmall = 4 * 1024;
  static constexpr std::size_t kLarge = 16 * 1024;

  // budget: borrowed for the pool's life.
  explicit BufferPool(base::WorkerBudget& budget) : budget_(budget) {}
  ~BufferPool();
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  // A chunk of at least size bytes with one reference.
  Chunk* take(std::size_t size);
  void release(Chunk* chunk);  // drops one reference
  Slice copy(std::string_view bytes);
  // The slice itself when it owns its bytes, else an owned copy.
  Slice keep(Slice slice) { return slice.is_borrowed() ? copy(slice.bytes()) : slice; }
  base::WorkerBudget& budget() { return budget_; }
  std::size_t chunks_taken() const { return taken_; }  // alive now, for tests and figures
  std::size_t chunks_free() const { return tiny_.size + small_.size + large_.size; }
  void trim();  // frees what the lists keep

 private:
  static constexpr std::size_t kKeepFree = 64;  // chunks of a size kept in a free list

  base::WorkerBudget& budget_;
  std::size_t taken_ = 0;
  struct FreeList {
    Chunk* head = nullptr;
    std::size_t size = 0;
  };
  // Null for a chunk of its exact size, which no list keeps.
  FreeList* list_of(std::size_t size) {
    return size <= kTiny ? &tiny_ : size <= kSmall ? &small_ : size <= kLarge ? &large_ : nullptr;
  }
  FreeList tiny_;
  FreeList small_;
  FreeList large_;
};

inline Slice::~Slice() {
  if (owner_ != nullptr) owner_->pool->release(owner_);
}

}  // namespace weir::worker
