#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "tests/push/dataplane.h"

namespace weir::attack {

inline constexpr std::int64_t kKiB = 1024;
inline constexpr std::int64_t kMiB = 1024 * kKiB;

using push::kResidentTells;

// Resident set of a process in bytes, 0 when it is gone.
std::int64_t resident(pid_t process);
// A sample of the dataplane's metrics by its name and, where it has several, a label as it stands
// there (state="active"); -1: none.
double metric(const push::Dataplane& dataplane, const std::string& name,
              const std::string& label = {});

}  // namespace weir::attack
