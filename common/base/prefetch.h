#pragma once

#include <cstddef>

namespace weir::base {

// Asks for the cache lines of an object that is about to be read, all at once and without waiting.
// A hint: any address is allowed, and nothing can be observed but time.
inline void prefetch(const void* object, std::size_t bytes) {
  constexpr std::size_t kLine = 64;
  const char* const begin = static_cast<const char*>(object);
  for (std::size_t at = 0; at < bytes; at += kLine) __builtin_prefetch(begin + at);
  __builtin_prefetch(begin + bytes - 1);  // another line, unless the object begins one
}

}  // namespace weir::base
