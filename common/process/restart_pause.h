#pragma once

#include <chrono>

#include "common/base/clock.h"

namespace weir::process {

// How long to wait before a process that ended is started again: not at all, unless it keeps ending
// soon after its start; then twice as long each time.
class RestartPause {
 public:
  static constexpr std::chrono::seconds kQuick{1};  // a life shorter than this is a quick end
  static constexpr int kQuickEndsForgiven = 2;      // in a row
  static constexpr std::chrono::milliseconds kFirst{100};
  static constexpr std::chrono::milliseconds kLongest{5'000};

  // life: how long the process that ended now has lived.
  std::chrono::milliseconds after(base::Duration life);

 private:
  int quick_ends_ = 0;
};

}  // namespace weir::process
