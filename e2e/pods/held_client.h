#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <vector>

#include "tests/scenario/loss_clients.h"

namespace weir::e2e {

// When WebSockets that nobody but Weir ends were ended. Any thread.
class HeldTally {
 public:
  void opened();
  void ended(std::chrono::system_clock::time_point at);
  // "held=N", the number opened, and "held_end=SECONDS.MILLIS" (of the Unix epoch) for each end.
  std::string to_string() const;

 private:
  mutable std::mutex mutex_;
  long opened_ = 0;
  std::vector<std::chrono::system_clock::time_point> ends_;
};

// Holds one WebSocket open with a message every 50 ms until run.stop; opens another when it ends.
// An upgrade that fails, or an answer that differs, counts as in the other clients.
void held_client(scenario::LossRun& run, const scenario::LossTarget& target, HeldTally& tally);

}  // namespace weir::e2e
