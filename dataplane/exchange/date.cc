#include "dataplane/exchange/date.h"

#include <cstring>

namespace weir::exchange {
namespace {

constexpr std::string_view kDays = "SunMonTueWedThuFriSat";
constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";

void put_number(char* to, unsigned value, int digits) {
  for (int i = digits - 1; i >= 0; --i, value /= 10) to[i] = static_cast<char>('0' + value % 10);
}

}  // namespace

void format_http_date(base::WallTime when, std::array<char, 29>& out) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(when);
  const auto day = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(seconds - day);
  std::memcpy(out.data(), "Xxx, 00 Xxx 0000 00:00:00 GMT", out.size());
  const std::size_t weekday = std::chrono::weekday(day).c_encoding();
  std::memcpy(out.data(), kDays.data() + weekday * 3, 3);
  put_number(out.data() + 5, static_cast<unsigned>(date.day()), 2);
  const std::size_t month = static_cast<unsigned>(date.month()) - 1;
  std::memcpy(out.data() + 8, kMonths.data() + month * 3, 3);
  put_number(out.data() + 12, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  put_number(out.data() + 17, static_cast<unsigned>(time.hours().count()), 2);
  put_number(out.data() + 20, static_cast<unsigned>(time.minutes().count()), 2);
  put_number(out.data() + 23, static_cast<unsigned>(time.seconds().count()), 2);
}

std::string_view DateText::at(base::TimePoint now, const base::Clock& clock) {
  if (now >= valid_until_) {
    const base::WallTime wall = clock.wall_now();
    format_http_date(wall, text_);
    const auto next = std::chrono::floor<std::chrono::seconds>(wall) + std::chrono::seconds(1);
    valid_until_ = now + std::chrono::duration_cast<base::Duration>(next - wall);
  }
  return {text_.data(), text_.size()};
}

}  // namespace weir::exchange
