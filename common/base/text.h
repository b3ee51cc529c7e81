#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace weir::base {

// Text tools without locale: ASCII rules only, as the protocols demand. Any thread; views are
// borrowed for the call only, and returned views point into the argument.

std::string_view trim(std::string_view text);  // blanks and tabs, CR and LF at both ends
std::string to_lower(std::string_view text);
bool equals_ignore_case(std::string_view a, std::string_view b);
bool starts_with_ignore_case(std::string_view text, std::string_view prefix);
// Parts between separators, empty parts kept: split("a,,b", ',') has three.
std::vector<std::string_view> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
// The longest start of UTF-8 text that has at most this many bytes and ends with a whole character.
std::string_view prefix_of(std::string_view text, std::size_t most);
// The same, with "..." behind it where something is missing.
std::string shortened(std::string_view text, std::size_t most);

// Empties a text and frees its memory, which an assignment keeps.
inline void give_back(std::string& text) { std::string().swap(text); }

// Whole text must be digits (a leading '-' for negative numbers); no blanks, no sign '+'. Empty on
// anything else or overflow.
std::optional<std::int64_t> parse_int(std::string_view text);
std::optional<std::uint64_t> parse_uint(std::string_view text);

// Parses a duration such as "30", "30s", "5m", "1h" or "250ms"; a bare number means seconds.
//   returns: whole milliseconds, 1 ms to 24 h.
//   errors:  kInvalid (origin kConfig); the text quotes the input and names the accepted form.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

// Standard base64 with padding (RFC 4648 section 4); blanks and line ends inside are refused. Empty
// optional on bad input.
std::optional<std::string> base64_decode(std::string_view text);
std::string base64_encode(std::string_view bytes);
std::string hex(std::string_view bytes);  // lower case
// What a hexadecimal digit of either case stands for, -1 for any other byte.
constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// RFC 3339 as Kubernetes writes it: "2026-01-02T03:04:05Z", fractions allowed. Seconds since the
// epoch.
std::optional<std::int64_t> parse_rfc3339(std::string_view text);
std::string format_rfc3339(std::int64_t epoch_seconds);
// With microseconds, the MicroTime of Lease and Event: "2026-01-02T03:04:05.000006Z".
std::string format_rfc3339_micro(std::int64_t epoch_micros);

}  // namespace weir::base
