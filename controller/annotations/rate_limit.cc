#include "common/features/rate_limit.h"

#include "common/base/text.h"
#include "controller/annotations/address_list.h"

// What one client address may ask of an Ingress: the limits count over all of its paths together.

namespace weir::annotations {
namespace {

constexpr std::uint64_t kMost = 1'000'000;

// A whole number from least to kMost; absent or bad gives the fallback, the latter with a report.
std::uint32_t read_number(const FeatureInput& input, std::string_view key, std::uint32_t least,
                          std::uint32_t fallback, FeatureOutput& out) {
  const auto found = find(input, key);
  if (!found) return fallback;
  const auto value = base::parse_uint(found->value);
  if (value && *value >= least && *value <= kMost) return static_cast<std::uint32_t>(*value);
  const std::string meanwhile = fallback == 0
                                    ? "without it there is no limit"
                                    : "the default of " + std::to_string(fallback) + " is used";
  out.reports.push_back(annotation_report(input, kInvalidReason, *found,
                                          "must be a whole number from " + std::to_string(least) +
                                              " to " + std::to_string(kMost) + "; " + meanwhile));
  return fallback;
}

std::vector<std::string> read_exempt(const FeatureInput& input, FeatureOutput& out) {
  const auto found = find_first(input, {"limit-allowlist", "limit-whitelist"});
  if (!found) return {};
  auto list = parse_addresses(found->value);
  if (list.ok()) return std::move(list).value();
  out.reports.push_back(annotation_report(input, kInvalidReason, *found,
                                          std::string(kAddressesForm) + "; nobody is exempt"));
  return {};
}

void translate_rate_limit(const FeatureInput& input, FeatureOutput& out) {
  features::RateLimit settings;
  settings.per_second = read_number(input, "limit-rps", 0, 0, out);
  settings.per_minute = read_number(input, "limit-rpm", 0, 0, out);
  settings.connections = read_number(input, "limit-connections", 0, 0, out);
  settings.burst_multiplier =
      read_number(input, "limit-burst-multiplier", 1, settings.burst_multiplier, out);
  settings.exempt = read_exempt(input, out);
  settings.rate_status = input.defaults.limit_rate_status;
  settings.connections_status = input.defaults.limit_connections_status;
  if (settings.per_second == 0 && settings.per_minute == 0 && settings.connections == 0) return;
  settings.zone = input.ingress.key.ns + "/" + input.ingress.key.name;
  out.policies.push_back(make_policy_of(settings));
}

Row row(std::string_view key, std::string_view aliases, std::string_view value,
        std::string_view help) {
  return {.key = key,
          .aliases = aliases,
          .scope = Scope::kPath,
          .risk = Risk::kLow,
          .value = value,
          .help = help};
}

}  // namespace

extern const Feature kRateLimit;
const Feature kRateLimit = {
    features::RateLimit::kStem,
    {row("limit-rps", "", "requests a second, 0: no limit (0)",
         "Refuses what one client address asks faster than that, beyond a burst."),
     row("limit-rpm", "", "requests a minute, 0: no limit (0)", "The same by the minute."),
     row("limit-burst-multiplier", "", "from 1 (5)",
         "So many times the rate may come at once besides."),
     row("limit-connections", "", "requests, 0: no limit (0)",
         "Refuses what one client address has open at a time beyond that."),
     row("limit-allowlist", "limit-whitelist", "addresses and ranges separated by ','",
         "Client addresses without these limits.")},
    translate_rate_limit};

}  // namespace weir::annotations
