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

const char* meaning(base::Pressure level) {
  constexpr std::array<const char*, base::kPressures> kMeanings = {
      "memory is no longer short", "memory is short: new bodies wait",
      "memory is short: connections close behind their answer",
      "memory is short: new requests are refused"};
  return kMeanings[static_cast<std::size_t>(level)];
}

}  // namespace

base::Pressure MemoryWatch::look(base::TimePoint now) {
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

void MemoryWatch::say(base::Pressure level, std::size_t resident) const {
  base::log_warn(meaning(level), {{"level", static_cast<unsigned>(level)},
                                  {"charged_bytes", budget_.used()},
                                  {"resident_bytes", resident},
                                  {"limit_bytes", budget_.limit()}});
}

}  // namespace weir
