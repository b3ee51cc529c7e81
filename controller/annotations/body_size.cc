#include "common/features/body_size.h"

#include <limits>

#include "common/base/text.h"
#include "controller/annotations/reader.h"

// Limits the request body; over it the client gets 413.

namespace weir::annotations {
namespace {

constexpr std::string_view kForm =
    "must be a number of bytes, optionally with k, m or g (\"8m\"), or 0 for no limit; the default "
    "is used";

// "8m", "100K", "0". Empty on another form or when the bytes do not fit.
std::optional<std::uint64_t> parse_size(std::string_view text) {
  unsigned shift = 0;
  switch (text.empty() ? '\0' : text.back()) {
    case 'k':
    case 'K':
      shift = 10;
      break;
    case 'm':
    case 'M':
      shift = 20;
      break;
    case 'g':
    case 'G':
      shift = 30;
      break;
    default:
      break;
  }
  if (shift > 0) text.remove_suffix(1);
  const auto count = base::parse_uint(text);
  if (!count || *count > (std::numeric_limits<std::uint64_t>::max() >> shift)) return std::nullopt;
  return *count << shift;
}

void translate_body_size(const FeatureInput& input, FeatureOutput& out) {
  features::BodySize settings;
  settings.max_bytes = input.defaults.body_size;
  if (const auto found = find(input, "proxy-body-size")) {
    const auto size = parse_size(found->value);
    if (size) {
      settings.max_bytes = *size;
    } else {
      out.reports.push_back(annotation_report(input, kInvalidReason, *found, std::string(kForm)));
    }
  }
  if (settings.max_bytes > 0) out.policies.push_back(make_policy_of(settings));
}

}  // namespace

extern const Feature kBodySize;
const Feature kBodySize = {features::BodySize::kStem,
                           {{.key = "proxy-body-size",
                             .aliases = "",
                             .scope = Scope::kPath,
                             .risk = Risk::kMedium,
                             .value = "bytes with optional k, m or g; 0: no limit (1m)",
                             .help = "Largest request body; a larger one is answered with 413."}},
                           translate_body_size};

}  // namespace weir::annotations
