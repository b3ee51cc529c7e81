#include "controller/annotations/numbers.h"

// How long the parts of a request may take. Typed settings of route and cluster.

namespace weir::annotations {
namespace {

void translate_timeouts(const FeatureInput& input, FeatureOutput& out) {
  if (const auto time =
          read_seconds(input, "proxy-connect-timeout", 1, "the default, 5, is used", out)) {
    out.cluster.connect_timeout = *time;
  }
  if (const auto time =
          read_seconds(input, "proxy-send-timeout", 1, "the default, 60, is used", out)) {
    out.timeouts.send = *time;
  }
  if (const auto time =
          read_seconds(input, "proxy-read-timeout", 1, "the default, 60, is used", out)) {
    out.timeouts.read = *time;
  }
  if (const auto time = read_duration(input, "request-timeout", true, "there is no limit", out)) {
    out.timeouts.request = *time;
  }
}

}  // namespace

extern const Feature kTimeouts;
const Feature kTimeouts = {
    "timeouts",
    {{.key = "proxy-connect-timeout",
      .aliases = "",
      .scope = Scope::kPath,
      .risk = Risk::kLow,
      .value = "seconds without a unit, 1..86400 (5)",
      .help = "Longest wait for a connection to an endpoint."},
     {.key = "proxy-send-timeout",
      .aliases = "",
      .scope = Scope::kPath,
      .risk = Risk::kLow,
      .value = "seconds without a unit, 1..86400 (60)",
      .help = "Longest gap between bytes that the endpoint takes."},
     {.key = "proxy-read-timeout",
      .aliases = "",
      .scope = Scope::kPath,
      .risk = Risk::kLow,
      .value = "seconds without a unit, 1..86400 (60)",
      .help = "Longest gap between bytes from the endpoint, also of a WebSocket."},
     {.key = "request-timeout",
      .aliases = "",
      .scope = Scope::kPath,
      .risk = Risk::kLow,
      .value = "a duration, or 0 for no limit (0)",
      .help = "The whole request with all of its tries, then 504.",
      .ours = true}},
    translate_timeouts};

}  // namespace weir::annotations
