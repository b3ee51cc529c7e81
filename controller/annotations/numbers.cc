#include "controller/annotations/numbers.h"

#include "common/base/text.h"

namespace weir::annotations {
namespace {

constexpr std::uint64_t kDay = 86'400;

void report_number(const FeatureInput& input, const Found& found, std::string form,
                   std::string_view meanwhile, FeatureOutput& out) {
  out.reports.push_back(annotation_report(input, kInvalidReason, found,
                                          std::move(form) + "; " + std::string(meanwhile)));
}

}  // namespace

std::optional<std::uint64_t> read_number(const FeatureInput& input, std::string_view key,
                                         Range range, std::string_view meanwhile,
                                         FeatureOutput& out) {
  const auto found = find(input, key);
  if (!found) return std::nullopt;
  const auto number = base::parse_uint(found->value);
  if (number && *number >= range.least && *number <= range.most) return number;
  report_number(
      input, *found,
      "must be a number in " + std::to_string(range.least) + ".." + std::to_string(range.most),
      meanwhile, out);
  return std::nullopt;
}

std::optional<std::chrono::milliseconds> read_duration(const FeatureInput& input,
                                                       std::string_view key, bool zero_too,
                                                       std::string_view meanwhile,
                                                       FeatureOutput& out) {
  const auto found = find(input, key);
  if (!found) return std::nullopt;
  if (zero_too && (found->value == "0" || found->value == "0s"))
    return std::chrono::milliseconds(0);
  const auto duration = base::parse_duration(found->value);
  if (duration.ok()) return duration.value();
  report_number(input, *found,
                std::string("must be a duration such as 30, 30s, 5m or 250ms, at most 24h") +
                    (zero_too ? ", or 0" : ""),
                meanwhile, out);
  return std::nullopt;
}

std::optional<std::chrono::milliseconds> read_seconds(const FeatureInput& input,
                                                      std::string_view key, std::uint64_t least,
                                                      std::string_view meanwhile,
                                                      FeatureOutput& out) {
  const auto found = find(input, key);
  if (!found) return std::nullopt;
  const auto seconds = base::parse_uint(found->value);
  if (seconds && *seconds >= least && *seconds <= kDay) {
    return std::chrono::seconds(*seconds);
  }
  report_number(input, *found,
                "must be whole seconds without a unit, " + std::to_string(least) + "..86400",
                meanwhile, out);
  return std::nullopt;
}

}  // namespace weir::annotations
