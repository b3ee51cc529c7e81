#pragma once

// Stops the process when an invariant of our own code is broken. Never for input from outside: that
// is a Result or a report.

namespace weir::base {

// Writes "file:line: check failed: text" to standard error and aborts. Any thread.
[[noreturn]] void check_failed(const char* file, int line, const char* text);

}  // namespace weir::base

#define WEIR_CHECK(condition)                                     \
  do {                                                            \
    if (!(condition)) [[unlikely]] {                              \
      ::weir::base::check_failed(__FILE__, __LINE__, #condition); \
    }                                                             \
  } while (false)
