#pragma once

#include "common/base/budget.h"
#include "common/base/clock.h"

namespace weir {

// Settles the level of memory pressure by what the process really holds: the charged bytes or its
// resident set, whichever is more (tables, OpenSSL and the allocator are not charged). Says a
// change of level in the log, one line each. One thread.
class MemoryWatch {
 public:
  explicit MemoryWatch(base::ProcessBudget& budget) : budget_(budget) {}

  // Costs a read of /proc. Under pressure that the charged bytes do not explain, the allocator is
  // asked to give free memory back, once a second.
  base::Pressure look(base::TimePoint now);

 private:
  void say(base::Pressure level, std::size_t resident) const;

  base::ProcessBudget& budget_;
  base::Pressure said_ = base::Pressure::kNone;
  base::TimePoint trimmed_{};
};

}  // namespace weir
