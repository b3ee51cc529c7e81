#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "controller/annotations/reader.h"

namespace weir::annotations {

// Readers of numbers for typed settings: absent or bad gives nothing, bad is reported with the
// accepted form and `meanwhile` ("the default, 3, is used").

struct Range {
  std::uint64_t least = 0;
  std::uint64_t most = 0;
};
std::optional<std::uint64_t> read_number(const FeatureInput& input, std::string_view key,
                                         Range range, std::string_view meanwhile,
                                         FeatureOutput& out);

// "30", "30s", "250ms", "5m": a bare number means seconds. 1 ms to 24 h, or "0" where zero_too.
std::optional<std::chrono::milliseconds> read_duration(const FeatureInput& input,
                                                       std::string_view key, bool zero_too,
                                                       std::string_view meanwhile,
                                                       FeatureOutput& out);

// Whole seconds without a unit, as ingress-nginx's timeouts are; at most a day.
std::optional<std::chrono::milliseconds> read_seconds(const FeatureInput& input,
                                                      std::string_view key, std::uint64_t least,
                                                      std::string_view meanwhile,
                                                      FeatureOutput& out);

}  // namespace weir::annotations
