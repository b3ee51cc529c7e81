#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::process {

// A line of text that may be made in a signal handler: no allocation, no lock, no locale. What does
// not fit is left out, and end() always fits.
class SignalText {
 public:
  SignalText& add(std::string_view text) { return append(text, kRoom - kEnd); }
  SignalText& add_number(std::int64_t value) {
    if (value < 0) add("-");
    const auto size = static_cast<std::uint64_t>(value);
    return add_digits(value < 0 ? 0 - size : size, 10, 1);
  }
  SignalText& add_hex(std::uint64_t value) {
    add("0x");
    return add_digits(value, 16, 1);
  }
  // RFC 3339 in UTC with microseconds. since_epoch: nanoseconds, not negative.
  SignalText& add_time(std::int64_t since_epoch) {
    const std::uint64_t micros = static_cast<std::uint64_t>(since_epoch) / 1'000;
    const std::uint64_t seconds = micros / 1'000'000;
    add_date(seconds / 86'400);
    add("T").add_digits(seconds / 3'600 % 24, 10, 2).add(":").add_digits(seconds / 60 % 60, 10, 2);
    return add(":")
        .add_digits(seconds % 60, 10, 2)
        .add(".")
        .add_digits(micros % 1'000'000, 10, 6)
        .add("Z");
  }
  void end(std::string_view text) { append(text, kRoom); }

  const char* data() const { return bytes_.data(); }
  std::size_t size() const { return size_; }
  std::string_view view() const { return {data(), size()}; }

 private:
  static constexpr std::size_t kRoom = 4'096;  // one write to a pipe is whole up to this
  static constexpr std::size_t kEnd = 16;

  SignalText& append(std::string_view text, std::size_t room) {
    const std::size_t fits = std::min(text.size(), room - std::min(room, size_));
    std::copy_n(text.data(), fits, bytes_.data() + size_);
    size_ += fits;
    return *this;
  }
  SignalText& add_digits(std::uint64_t value, unsigned base, std::size_t least) {
    std::array<char, 20> digits;
    std::size_t at = digits.size();
    for (; value != 0 || digits.size() - at < least; value /= base) {
      digits[--at] = "0123456789abcdef"[value % base];
    }
    return add({digits.data() + at, digits.size() - at});
  }
  // Days since 1970 to a date of the proleptic Gregorian calendar, in years that begin in March.
  void add_date(std::uint64_t days) {
    const std::uint64_t shifted = days + 719'468;  // since 0000-03-01
    const std::uint64_t era = shifted / 146'097, of_era = shifted % 146'097;
    const std::uint64_t year_of_era =
        (of_era - of_era / 1'460 + of_era / 36'524 - of_era / 146'096) / 365;
    const std::uint64_t of_year =
        of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::uint64_t march = (5 * of_year + 2) / 153;  // months since March
    const std::uint64_t month = march < 10 ? march + 3 : march - 9;
    const std::uint64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
    add_digits(year, 10, 4).add("-").add_digits(month, 10, 2).add("-");
    add_digits(of_year - (153 * march + 2) / 5 + 1, 10, 2);
  }

  std::array<char, kRoom> bytes_;
  std::size_t size_ = 0;
};

}  // namespace weir::process
