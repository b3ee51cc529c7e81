#pragma once

#include <cstdint>
#include <string>

namespace weir::perf {

// What this thread's code asked of the kernel and of the allocator while counting is on. The
// program defines the C library's functions of that kind itself and passes them on, so that
// libraries are counted as well.
struct Costs {
  std::uint64_t calls = 0;        // system calls on descriptors
  std::uint64_t allocations = 0;  // malloc and its kin
};

Costs& costs();
// "recvfrom 64, sendmsg 64": the calls by name.
std::string calls_by_name();

void forget_costs();
// Counts while it lives, on top of what was counted.
class Counting {
 public:
  Counting();
  ~Counting();
  Counting(const Counting&) = delete;
  Counting& operator=(const Counting&) = delete;
};

}  // namespace weir::perf
