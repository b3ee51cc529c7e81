#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "common/base/clock.h"
#include "dataplane/observe/record.h"

namespace weir::observe {

// Formats access log lines of one worker: one JSON object a line, keys in a fixed order, no
// allocation. Text is cut to kMostText bytes (the target to kMostTarget); bytes that are not UTF-8
// become U+FFFD.
class LogLine {
 public:
  static constexpr std::size_t kMostTarget = 8'192;
  static constexpr std::size_t kMostText = 1'024;

  // An upper bound of what write() needs for this record.
  static std::size_t bound(const ExchangeRecord& record);
  // Writes the line with its '\n' and returns its end. out: bound() bytes.
  char* write(const ExchangeRecord& record, base::WallTime now, char* out);

 private:
  void set_time(base::WallTime now);

  // "2026-01-02T03:04:05.678Z"; the part before the fraction is made once a second.
  std::array<char, 24> time_{};
  std::int64_t second_ = -1;
};

}  // namespace weir::observe
