#pragma once

namespace weir::worker {

// The allocator's free memory. The dataplane is linked with jemalloc (docs/adr/0004-jemalloc.md);
// programs that are not (tests, sanitizer builds) have the C library's, which the same calls serve.

// What this thread keeps at hand for its next allocations becomes free memory. A thread's own.
void return_thread_cache();

// Gives free memory back to the system. May take milliseconds. Any thread.
void return_free_memory();

}  // namespace weir::worker
