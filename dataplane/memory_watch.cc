#include "dataplane/memory_watch.h"

#include <malloc.h>

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

base::Pressure MemoryWatch::look(base::TimePoint now) {
  give_back(now);
  if (budget_.limit() == 0) return base::Pressure::kNone;
  base::PressureGauge& pressure = budget_.pressure();
  const std::size_t resident = observe::resident_bytes();
  pressure.settle(std::max(budget_.used(), resident));
  const base::Pressure level = pressure.level();
  if (level != said_) say(level, resident);
  said_ = level;
  const bool explained = budget_.used() + budget_.limit() / 20 > resident;
  if (level != base::Pressure::kNone && !explained && now - trimmed_ >= kTrimEvery) {
    trimmed_ = now;
    ::malloc_trim(0);
  }
  return level;
}

void MemoryWatch::give_back(base::TimePoint now) {
  const std::size_t used = budget_.used();
  highest_ = std::max(highest_, used);
  const bool fell = used <= highest_ / 2 && highest_ - used >= kWorthTrimming;
  if (!fell) stayed_ = now;
  if (now - compared_ >= kSettles) {
    compared_ = now;
    const std::size_t resident = observe::resident_bytes();
    const std::size_t beyond = resident - std::min(resident, used);
    if (beyond > beyond_ + kUnexplained) return trim(now);
    beyond_ = std::min(beyond, beyond_);
  }
  if (now - stayed_ >= kSettles) trim(now);
}

void MemoryWatch::trim(base::TimePoint now) {
  ::malloc_trim(0);
  const std::size_t used = budget_.used();
  const std::size_t resident = observe::resident_bytes();
  beyond_ = resident - std::min(resident, used);
  highest_ = used;
  stayed_ = now;
}

void MemoryWatch::say(base::Pressure level, std::size_t resident) const {
  base::log_warn(meaning(level), {{"level", static_cast<unsigned>(level)},
                                  {"charged_bytes", budget_.used()},
                                  {"resident_bytes", resident},
                                  {"limit_bytes", budget_.limit()}});
}

}  // namespace weir
