#pragma once

#include <cstdint>
#include <string>

namespace weir {

// What the machine and the cgroup allow this process. root: where /proc and /sys are found, "" but
// in tests.

// CPU quota of the cgroup (v2, else v1) rounded up, else the number of CPUs; at least 1.
unsigned cpu_quota(const std::string& root = "");
// Memory limit of the cgroup (v2, else v1) in bytes, else 75 % of the machine's memory.
std::uint64_t memory_limit(const std::string& root = "");
// Raises the soft limit of open files to the hard one and returns it.
std::uint64_t raise_file_limit();

}  // namespace weir
