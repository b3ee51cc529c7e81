#include <algorithm>
#include <array>

#include "common/base/text.h"
#include "controller/annotations/numbers.h"

// When a request is tried again, and how often. Typed settings of route and cluster.

namespace weir::annotations {
namespace {

constexpr std::array<std::uint16_t, 7> kStatuses = {500, 502, 503, 504, 403, 404, 429};
constexpr std::string_view kForm =
    "must be a list of error, timeout, invalid_header, http_500, http_502, http_503, http_504, "
    "http_403, http_404, http_429, non_idempotent, or off; the default is used";

// False: no such token.
bool take_token(std::string_view token, model::RetryRule& rule) {
  if (token == "error") return rule.on_error = true;
  if (token == "timeout") return rule.on_timeout = true;
  if (token == "invalid_header") return rule.on_invalid = true;
  if (token == "non_idempotent") return rule.non_idempotent = true;
  if (!token.starts_with("http_")) return false;
  const auto status = base::parse_uint(token.substr(5));
  const auto at = std::find(kStatuses.begin(), kStatuses.end(), status.value_or(0));
  if (at == kStatuses.end()) return false;
  if (std::find(rule.statuses.begin(), rule.statuses.end(), *at) == rule.statuses.end()) {
    rule.statuses.push_back(*at);
  }
  return true;
}

void read_tokens(const FeatureInput& input, FeatureOutput& out) {
  const auto found = find(input, "proxy-next-upstream");
  if (!found) return;
  model::RetryRule rule;
  bool good = false;
  bool off = false;
  for (const std::string_view token : base::split(found->value, ' ')) {
    if (token.empty()) continue;
    off = off || token == "off";
    good = token == "off" || take_token(token, rule);
    if (!good) break;
  }
  if (!good) {
    out.reports.push_back(annotation_report(input, kInvalidReason, *found, std::string(kForm)));
    return;
  }
  out.retry = off ? model::RetryRule{.tries = 1} : rule;
  std::sort(out.retry.statuses.begin(), out.retry.statuses.end());
}

void translate_next_upstream(const FeatureInput& input, FeatureOutput& out) {
  read_tokens(input, out);
  const bool off = out.retry.tries == 1;
  const auto tries =
      read_number(input, "proxy-next-upstream-tries", {0, 100}, "the default, 3, is used", out);
  constexpr std::uint32_t kNoLimit = 100;
  if (tries && !off) {
    out.retry.tries = *tries == 0 ? kNoLimit : static_cast<std::uint32_t>(*tries);
  }
  if (const auto time =
          read_seconds(input, "proxy-next-upstream-timeout", 0, "there is no limit", out)) {
    out.retry.time = *time;
  }
  if (const auto time = read_duration(input, "per-try-timeout", true, "there is no limit", out)) {
    out.retry.per_try = *time;
  }
  if (const auto percent =
          read_number(input, "retry-budget", {0, 100}, "the default, 20, is used", out)) {
    out.cluster.limits.retry_percent = static_cast<std::uint32_t>(*percent);
    if (*percent == 0) out.cluster.limits.retry_floor = 0;
  }
}

}  // namespace

extern const Feature kNextUpstream;
const Feature kNextUpstream = {
    "next_upstream",
    {{.key = "proxy-next-upstream",
      .aliases = "",
      .scope = Scope::kPath,
      .risk = Risk::kMedium,
      .value = "list of error, timeout, invalid_header, http_500, http_502, http_503, http_504, "
               "http_403, http_404, http_429, non_idempotent; or off",
      .help = "When a request is tried again at another endpoint."},
     {.key = "proxy-next-upstream-tries",
      .aliases = "",
      .scope = Scope::kPath,
      .risk = Risk::kLow,
      .value = "0..100, 0: no limit (3)",
      .help = "Most tries of a request, the first included."},
     {.key = "proxy-next-upstream-timeout",
      .aliases = "",
      .scope = Scope::kPath,
      .risk = Risk::kLow,
      .value = "seconds without a unit, 0..86400, 0: no limit (0)",
      .help = "No further try later than this behind the first."},
     {.key = "per-try-timeout",
      .aliases = "",
      .scope = Scope::kPath,
      .risk = Risk::kLow,
      .value = "a duration, or 0 for no limit (0)",
      .help = "One try, from its start to the response's head.",
      .ours = true},
     {.key = "retry-budget",
      .aliases = "",
      .scope = Scope::kPath,
      .risk = Risk::kLow,
      .value = "percent, 0..100 (20)",
      .help = "Most retries that an endpoint may see, of the requests in flight, and 10 more.",
      .ours = true}},
    translate_next_upstream};

}  // namespace weir::annotations
