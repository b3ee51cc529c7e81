#include "common/base/pressure.h"

#include <algorithm>

namespace weir::base {
namespace {

constexpr std::array<std::size_t, kPressures> kStarts = {0, 80, 90, 95};  // percent
constexpr std::size_t kLeaveBelow = 5;                                    // points
constexpr std::size_t kMeasures = 64;  // between nothing and the limit
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

}  // namespace

void PressureGauge::set_limit(std::size_t limit) {
  limit_.store(limit, std::memory_order_relaxed);
  move_to(0, 0);
}

std::int64_t PressureGauge::start_of(std::size_t level) const {
  const std::size_t limit = limit_.load(std::memory_order_relaxed);
  if (limit == 0 || level >= kPressures) return kNever;
  return static_cast<std::int64_t>(limit / 100 * kStarts[level]);
}

void PressureGauge::move_to(std::size_t level, std::int64_t said) {
  level_.store(static_cast<Pressure>(level), std::memory_order_relaxed);
  const std::int64_t start = start_of(level + 1);
  if (start == kNever) return next_.store(kNever, std::memory_order_relaxed);
  std::int64_t next = start - beside_.load(std::memory_order_relaxed);
  if (measure_ != nullptr) {
    const std::size_t limit = limit_.load(std::memory_order_relaxed);
    next = std::min(next, said + static_cast<std::int64_t>(limit / kMeasures));
  }
  next_.store(next, std::memory_order_relaxed);
}

void PressureGauge::enter(std::int64_t bytes) {
  std::int64_t all = bytes + beside_.load(std::memory_order_relaxed);
  if (measure_ != nullptr) all = std::max(all, static_cast<std::int64_t>(measure_()));
  auto level = static_cast<std::size_t>(this->level());
  while (all >= start_of(level + 1)) ++level;
  move_to(level, bytes);
}

void PressureGauge::settle(std::size_t bytes, std::size_t beside, std::size_t said) {
  beside_.store(static_cast<std::int64_t>(beside), std::memory_order_relaxed);
  const auto used = static_cast<std::int64_t>(bytes);
  const std::size_t limit = limit_.load(std::memory_order_relaxed);
  const auto slack = static_cast<std::int64_t>(limit / 100 * kLeaveBelow);
  auto level = static_cast<std::size_t>(this->level());
  while (used >= start_of(level + 1)) ++level;
  while (level > 0 && used < start_of(level) - slack) --level;
  move_to(level, static_cast<std::int64_t>(said));
}

}  // namespace weir::base
