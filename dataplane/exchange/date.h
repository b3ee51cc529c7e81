#pragma once

#include <array>
#include <string_view>

#include "common/base/clock.h"

namespace weir::exchange {

// Writes an IMF-fixdate (RFC 9110 section 5.6.7), 29 bytes: "Sun, 06 Nov 1994 08:49:37 GMT".
void format_http_date(base::WallTime when, std::array<char, 29>& out);

// The value of Date, written once a second. One worker.
class DateText {
 public:
  // now: the loop's time. The view lives until the next call.
  std::string_view at(base::TimePoint now, const base::Clock& clock);

 private:
  base::TimePoint valid_until_{};
  std::array<char, 29> text_{};
};

}  // namespace weir::exchange
