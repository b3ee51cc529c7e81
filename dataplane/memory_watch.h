#pragma once

#include "common/base/budget.h"
#include "common/base/clock.h"
#include "common/base/unique_function.h"

namespace weir {

// Settles the level of memory pressure by what the process really holds: the charged bytes or its
// resident set, whichever is more (tables, OpenSSL and the allocator are not charged). Says a
// change of level in the log, one line each. One thread.
class MemoryWatch {
 public:
  // give_back: frees what the workers keep for their next requests, then has the allocator return
  // its free pages, by and by; called by look().
  // To be made before other threads charge the budget: from then on they look too, as they charge.
  MemoryWatch(base::ProcessBudget& budget, base::UniqueFunction<void()> give_back);

  // Costs a read of /proc where there is a limit. Free memory is given back once the charged bytes
  // have fallen by half and stayed there, for the pools and the allocator keep what a crowd that is
  // gone has used; when the resident set has grown without them; and once a second under pressure
  // that the charged bytes do not explain.
  base::Pressure look(base::TimePoint now);

 private:
  void follow(base::TimePoint now);
  std::size_t beyond_charged() const;
  void say(base::Pressure level, std::size_t resident) const;

  base::ProcessBudget& budget_;
  base::UniqueFunction<void()> give_back_;
  base::Pressure said_ = base::Pressure::kNone;
  base::TimePoint trimmed_{};
  std::size_t highest_ = 0;   // charged bytes since they last fell
  base::TimePoint stayed_{};  // until when they had not fallen
  base::TimePoint compared_{};
  std::size_t beyond_ = 0;  // resident and not charged, when that was last as little as it gets
  bool settling_ = true;    // memory was given back since that was looked at
};

}  // namespace weir
