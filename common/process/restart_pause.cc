#include "common/process/restart_pause.h"

#include <algorithm>

namespace weir::process {

std::chrono::milliseconds RestartPause::after(base::Duration life) {
  quick_ends_ = life < kQuick ? quick_ends_ + 1 : 0;
  if (quick_ends_ <= kQuickEndsForgiven) return std::chrono::milliseconds(0);
  const int doublings = std::min(quick_ends_ - kQuickEndsForgiven - 1, 10);
  return std::min(kFirst * (1 << doublings), kLongest);
}

}  // namespace weir::process
