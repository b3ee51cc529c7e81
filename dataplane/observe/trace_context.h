#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::observe {

using TraceId = std::array<std::uint8_t, 16>;
using SpanId = std::array<std::uint8_t, 8>;

// The client's side of a trace (W3C Trace Context, level 1).
struct TraceParent {
  TraceId trace{};
  SpanId span{};
  bool sampled = false;
};

// "00-<32 hex>-<16 hex>-<2 hex>": lower case, no id all zero. A later version may have more behind
// a further '-'; version ff and everything else is no traceparent.
std::optional<TraceParent> parse_traceparent(std::string_view text);

// Always version 00.
std::string format_traceparent(const TraceId& trace, const SpanId& span, bool sampled);

// Lower case.
std::string hex(const TraceId& id);
std::string hex(const SpanId& id);

// Whether a trace that begins here is kept: by its id, so that every replica says the same.
//   per_million: 0 none, 1,000,000 all.
bool sampled_by_ratio(const TraceId& trace, std::uint32_t per_million);

}  // namespace weir::observe
