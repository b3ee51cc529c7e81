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

  // Costs a read of /proc where there is a limit. The allocator is asked to give free memory back
  // once the charged bytes have fallen by half and stayed there, for it keeps what a crowd that is
  // gone has used; when the resident set has grown without them; and once a second under pressure
  // that the charged bytes do not explain.
  base::Pressure look(base::TimePoint now);

 private:
  void give_back(base::TimePoint now);
  void trim(base::TimePoint now);
  void say(base::Pressure level, std::size_t resident) const;

  base::ProcessBudget& budget_;
  base::Pressure said_ = base::Pressure::kNone;
  base::TimePoint trimmed_{};
  std::size_t highest_ = 0;   // charged bytes since they last fell
  base::TimePoint stayed_{};  // until when they had not fallen
  base::TimePoint compared_{};
  std::size_t beyond_ = 0;  // resident and not charged, when that was last as little as it gets
};

}  // namespace weir
