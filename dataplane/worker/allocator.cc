#include "dataplane/worker/allocator.h"

#include <malloc.h>

#include <cstddef>

extern "C" {
// jemalloc(3); null where it is not linked.
[[gnu::weak]] int mallctl(const char* name, void* old, std::size_t* old_size, void* value,
                          std::size_t value_size) noexcept;

// Read by jemalloc at the start. A crowd that comes back within seconds finds its memory; what a
// crowd left for good goes through return_free_memory().
[[gnu::used]] const char* malloc_conf = "dirty_decay_ms:5000,muzzy_decay_ms:0,abort_conf:true";
}

namespace weir::worker {

void return_thread_cache() {
  if (mallctl != nullptr) mallctl("thread.tcache.flush", nullptr, nullptr, nullptr, 0);
}

void return_free_memory() {
  if (mallctl == nullptr) {
    malloc_trim(0);
    return;
  }
  mallctl("arena.4096.purge", nullptr, nullptr, nullptr, 0);  // 4096: of every arena
}

}  // namespace weir::worker
