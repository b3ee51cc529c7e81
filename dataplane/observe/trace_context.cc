#include "dataplane/observe/trace_context.h"

#include <algorithm>

#include "common/base/text.h"

namespace weir::observe {
namespace {

constexpr std::size_t kVersion00 = 55;  // 2 + 1 + 32 + 1 + 16 + 1 + 2

int nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

template <std::size_t N>
bool read_hex(std::string_view text, std::array<std::uint8_t, N>& out) {
  for (std::size_t i = 0; i < N; ++i) {
    const int high = nibble(text[2 * i]);
    const int low = nibble(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return true;
}

template <std::size_t N>
bool is_zero(const std::array<std::uint8_t, N>& id) {
  return std::all_of(id.begin(), id.end(), [](std::uint8_t byte) { return byte == 0; });
}

template <std::size_t N>
std::string hex_of(const std::array<std::uint8_t, N>& id) {
  return base::hex(std::string_view(reinterpret_cast<const char*>(id.data()), N));
}

}  // namespace

std::optional<TraceParent> parse_traceparent(std::string_view text) {
  if (text.size() < kVersion00) return std::nullopt;
  std::array<std::uint8_t, 1> version{};
  std::array<std::uint8_t, 1> flags{};
  TraceParent out;
  const bool dashes = text[2] == '-' && text[35] == '-' && text[52] == '-';
  if (!dashes || !read_hex(text.substr(0, 2), version) || !read_hex(text.substr(3, 32), out.trace))
    return std::nullopt;
  if (!read_hex(text.substr(36, 16), out.span) || !read_hex(text.substr(53, 2), flags))
    return std::nullopt;
  const bool exact = text.size() == kVersion00;
  const bool longer = version[0] > 0 && !exact && text[kVersion00] == '-';
  if (version[0] == 0xff || (!exact && !longer)) return std::nullopt;
  if (is_zero(out.trace) || is_zero(out.span)) return std::nullopt;
  out.sampled = (flags[0] & 1) != 0;
  return out;
}

std::string format_traceparent(const TraceId& trace, const SpanId& span, bool sampled) {
  return "00-" + hex(trace) + "-" + hex(span) + (sampled ? "-01" : "-00");
}

std::string hex(const TraceId& id) { return hex_of(id); }
std::string hex(const SpanId& id) { return hex_of(id); }

// The last seven bytes are the random ones (W3C Trace Context level 2).
bool sampled_by_ratio(const TraceId& trace, std::uint32_t per_million) {
  constexpr std::uint64_t kMillion = 1'000'000;
  std::uint64_t chance = 0;
  for (std::size_t i = 9; i < trace.size(); ++i) chance = chance << 8 | trace[i];
  return chance % kMillion < per_million;
}

}  // namespace weir::observe
