#include "dataplane/worker/buffer.h"

#include <cstdlib>
#include <new>

namespace weir::worker {

Chunk* BufferPool::take(std::size_t size) {
  FreeList* list = list_of(size);
  const std::size_t capacity = list == &tiny_    ? kTiny
                               : list == &small_ ? kSmall
                               : list == &large_ ? kLarge
                                                 : size;
  budget_.charge(capacity);
  ++taken_;
  Chunk* chunk = nullptr;
  if (list != nullptr && list->head != nullptr) {
    chunk = list->head;
    list->head = chunk->next_free;
    --list->size;
  } else {
    void* memory = std::malloc(sizeof(Chunk) + capacity);
    WEIR_CHECK(memory != nullptr);
    chunk = new (memory) Chunk{this, 0, static_cast<std::uint32_t>(capacity), nullptr};
  }
  chunk->refs = 1;
  return chunk;
}

void BufferPool::release(Chunk* chunk) {
  if (--chunk->refs > 0) return;
  budget_.release(chunk->capacity);
  --taken_;
  FreeList* list = list_of(chunk->capacity);
  if (list == nullptr || list->size >= kKeepFree) {
    std::free(chunk);
    return;
  }
  chunk->next_free = list->head;
  list->head = chunk;
  ++list->size;
}

Slice BufferPool::copy(std::string_view bytes) {
  if (bytes.empty()) return {};
  Chunk* chunk = take(bytes.size());
  std::memcpy(chunk->data(), bytes.data(), bytes.size());
  return Slice(std::string_view(chunk->data(), bytes.size()), chunk);
}

void BufferPool::trim() {
  for (FreeList* list : {&tiny_, &small_, &large_}) {
    while (list->head != nullptr) {
      Chunk* chunk = list->head;
      list->head = chunk->next_free;
      std::free(chunk);
    }
    list->size = 0;
  }
}

BufferPool::~BufferPool() {
  WEIR_CHECK(taken_ == 0);
  trim();
}

}  // namespace weir::worker
