#include "e2e/pods/held_client.h"

#include <array>
#include <cstdio>
#include <thread>

namespace weir::e2e {

using scenario::Millis;

void HeldTally::opened() {
  const std::lock_guard lock(mutex_);
  ++opened_;
}

void HeldTally::ended(std::chrono::system_clock::time_point at) {
  const std::lock_guard lock(mutex_);
  ends_.push_back(at);
}

std::string HeldTally::to_string() const {
  const std::lock_guard lock(mutex_);
  std::string out = "held=" + std::to_string(opened_) + "\n";
  for (const auto at : ends_) {
    const auto millis = std::chrono::duration_cast<Millis>(at.time_since_epoch()).count();
    std::array<char, 48> line{};
    std::snprintf(line.data(), line.size(), "held_end=%lld.%03lld\n",
                  static_cast<long long>(millis / 1'000), static_cast<long long>(millis % 1'000));
    out += line.data();
  }
  return out;
}

void held_client(scenario::LossRun& run, const scenario::LossTarget& target, HeldTally& tally) {
  while (!run.stop) {
    // Its counts go to a tally of its own: that Weir ends it at its bound is no loss.
    scenario::LossRun life;
    std::thread watcher([&] {
      while (!run.stop && !life.stop) scenario::nap(Millis(20));
      life.stop = true;
    });
    tally.opened();
    websocket_client(life, target);
    const bool ended = !run.stop;
    life.stop = true;
    watcher.join();
    if (!ended) return;
    tally.ended(std::chrono::system_clock::now());
    if (life.tally.websocket == 0) {
      ++run.tally.lost;
      run.tally.complain("a held WebSocket was not opened: " + life.tally.first_complaints());
      scenario::nap(Millis(50));
    }
  }
}

}  // namespace weir::e2e
