#include "dataplane/memory_watch.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "common/base/log.h"
#include "dataplane/observe/metrics.h"

namespace weir {
namespace {

constexpr auto kTrimEvery = std::chrono::seconds(1);
// Load that swings faster than this keeps its memory.
constexpr auto kSettles = std::chrono::seconds(2);
constexpr std::size_t kWorthTrimming = 256 * 1024;
// The resident set may grow by this beyond the charged bytes before that alone is a reason.
constexpr std::size_t kUnexplained = 8 * 1024 * 1024;

const char* meaning(base::Pressure level) {
  constexpr std::array<const char*, base::kPressures> kMeanings = {
      "memory is no longer short", "memory is short: new bodies wait",
      "memory is short: connections close behind their answer",
      "memory is short: new requests are refused"};
  return kMeanings[static_cast<std::size_t>(level)];
}

}  // namespace

MemoryWatch::MemoryWatch(base::ProcessBudget& budget, base::UniqueFunction<void()> give_back)
    : budget_(budget), give_back_(std::move(give_back)) {
  budget_.pressure().measure_by(&observe::resident_bytes);
}

base::Pressure MemoryWatch::look(base::TimePoint now) {
  follow(now);
  if (budget_.limit() == 0) return base::Pressure::kNone;
  base::PressureGauge& pressure = budget_.pressure();
  const std::size_t resident = observe::resident_bytes();
  pressure.settle(std::max(budget_.used(), resident), std::min(beyond_charged(), beyond_),
                  budget_.used());
  const base::Pressure level = pressure.level();
  if (level != said_) say(level, resident);
  said_ = level;
  const bool explained = budget_.used() + budget_.limit() / 20 > resident;
  if (level != base::Pressure::kNone && !explained && now - trimmed_ >= kTrimEvery) {
    trimmed_ = now;
    give_back_();
  }
  return level;
}

void MemoryWatch::follow(base::TimePoint now) {
  const std::size_t used = budget_.used();
  highest_ = std::max(highest_, used);
  const bool fell = used <= highest_ / 2 && highest_ - used >= kWorthTrimming;
  if (!fell) stayed_ = now;
  bool due = now - stayed_ >= kSettles;
  if (now - compared_ >= kSettles) {
    compared_ = now;
    const std::size_t beyond = beyond_charged();
    due = due || (!settling_ && beyond > beyond_ + kUnexplained);
    beyond_ = settling_ ? beyond : std::min(beyond, beyond_);
    settling_ = false;
  }
  if (!due) return;
  give_back_();
  settling_ = true;
  compared_ = now;
  highest_ = used;
  stayed_ = now;
}

std::size_t MemoryWatch::beyond_charged() const {
  const std::size_t resident = observe::resident_bytes();
  return resident - std::min(resident, budget_.used());
}

void MemoryWatch::say(base::Pressure level, std::size_t resident) const {
  base::log_warn(meaning(level), {{"level", static_cast<unsigned>(level)},
                                  {"charged_bytes", budget_.used()},
                                  {"resident_bytes", resident},
                                  {"limit_bytes", budget_.limit()}});
}

}  // namespace weir
