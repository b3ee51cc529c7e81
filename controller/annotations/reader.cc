#include "controller/annotations/reader.h"

#include <array>

#include "common/base/text.h"

namespace weir::annotations {
namespace {

std::string trim_lines(std::string_view text) {
  std::vector<std::string> lines;
  for (const std::string_view line : base::split(text, '\n')) lines.emplace_back(base::trim(line));
  return std::string(base::trim(base::join(lines, "\n")));
}

}  // namespace

std::optional<Found> find(const FeatureInput& input, std::string_view key) {
  for (const std::string_view prefix : {kOwnPrefix, std::string_view(input.defaults.prefix)}) {
    std::string whole = std::string(prefix) + "/" + std::string(key);
    const auto found = input.ingress.annotations.find(whole);
    if (found != input.ingress.annotations.end())
      return Found{std::move(whole), trim_lines(found->second)};
  }
  return std::nullopt;
}

std::optional<bool> parse_bool(std::string_view text) {
  static constexpr std::array<std::string_view, 6> kTrue = {"1", "t", "T", "TRUE", "true", "True"};
  static constexpr std::array<std::string_view, 6> kFalse = {"0",     "f",     "F",
                                                             "FALSE", "false", "False"};
  for (const auto one : kTrue)
    if (text == one) return true;
  for (const auto one : kFalse)
    if (text == one) return false;
  return std::nullopt;
}

bool read_bool(const FeatureInput& input, std::string_view key, bool fallback, FeatureOutput& out) {
  const auto found = find(input, key);
  if (!found) return fallback;
  const auto value = parse_bool(found->value);
  if (value) return *value;
  out.reports.push_back(annotation_report(input, kInvalidReason, *found,
                                          std::string("must be true or false; the default, ") +
                                              (fallback ? "true" : "false") + ", is used"));
  return fallback;
}

translate::Report annotation_report(const FeatureInput& input, std::string_view reason,
                                    const Found& found, std::string text) {
  return {.object = input.ingress.key,
          .severity = translate::Severity::kWarning,
          .reason = std::string(reason),
          .field = "metadata.annotations[" + found.key + "]",
          .value = base::shortened(found.value, translate::kLongestValue),
          .text = std::move(text)};
}

void report_bad(const FeatureInput& input, const Found& found, std::string text,
                FeatureOutput& out) {
  out.reports.push_back(annotation_report(input, kInvalidReason, found, std::move(text)));
}

void deny(const FeatureInput& input, const Found& found, std::string text, FeatureOutput& out) {
  text += "; until then its paths answer 503";
  if (out.deny_reason.empty()) out.deny_reason = found.key + ": " + text;
  out.reports.push_back(annotation_report(input, kInvalidReason, found, std::move(text)));
}

}  // namespace weir::annotations
