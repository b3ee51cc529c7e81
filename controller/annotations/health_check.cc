#include <algorithm>

#include "controller/annotations/numbers.h"

// Active checks of the endpoints, and passive ejection. Typed settings of the cluster.

namespace weir::annotations {
namespace {

bool is_visible(std::string_view text) {
  return text.size() <= 1'024 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

// A path alone asks for HTTP.
model::CheckKind read_kind(const FeatureInput& input, FeatureOutput& out) {
  const auto found = find(input, "health-check");
  if (!found) {
    return find(input, "health-check-path") ? model::CheckKind::kHttp : model::CheckKind::kNone;
  }
  if (found->value == "http") return model::CheckKind::kHttp;
  if (found->value == "tcp") return model::CheckKind::kTcp;
  if (found->value == "grpc") return model::CheckKind::kGrpc;
  if (found->value != "off") {
    report_bad(input, *found, "must be http, tcp, grpc or off; endpoints are not checked", out);
  }
  return model::CheckKind::kNone;
}

void read_texts(const FeatureInput& input, model::HealthCheck& check, FeatureOutput& out) {
  if (const auto found = find(input, "health-check-path")) {
    if (found->value.starts_with('/') && is_visible(found->value)) {
      check.path = found->value;
    } else {
      report_bad(input, *found, "must be a path that begins with '/'; '/' is used", out);
    }
  }
  if (const auto found = find(input, "health-check-host")) {
    if (is_visible(found->value)) {
      check.host = found->value;
    } else {
      report_bad(input, *found, "must be a host; the endpoint's address is used", out);
    }
  }
  if (const auto found = find(input, "health-check-service")) {
    if (is_visible(found->value)) {
      check.service = found->value;
    } else {
      report_bad(input, *found,
                 "must be the name of a gRPC service; the server as a whole is asked", out);
    }
  }
}

void read_numbers(const FeatureInput& input, model::HealthCheck& check, FeatureOutput& out) {
  if (const auto port =
          read_number(input, "health-check-port", {1, 65'535}, "the endpoint's own is used", out)) {
    check.port = static_cast<std::uint16_t>(*port);
  }
  if (const auto times =
          read_number(input, "health-check-healthy", {1, 100}, "the default, 2, is used", out)) {
    check.healthy = static_cast<std::uint32_t>(*times);
  }
  if (const auto times =
          read_number(input, "health-check-unhealthy", {1, 100}, "the default, 3, is used", out)) {
    check.unhealthy = static_cast<std::uint32_t>(*times);
  }
  if (const auto time =
          read_duration(input, "health-check-interval", false, "the default, 10s, is used", out)) {
    check.interval = *time;
  }
  if (const auto time =
          read_duration(input, "health-check-timeout", false, "the default, 2s, is used", out)) {
    check.timeout = *time;
  }
}

void read_ejection(const FeatureInput& input, model::Ejection& ejection, FeatureOutput& out) {
  if (const auto times =
          read_number(input, "eject-connect-failures", {0, 100}, "the default, 1, is used", out)) {
    ejection.connect_failures = static_cast<std::uint32_t>(*times);
  }
  if (const auto times =
          read_number(input, "eject-errors", {0, 1'000}, "the default, 0, is used", out)) {
    ejection.errors = static_cast<std::uint32_t>(*times);
  }
  if (const auto percent =
          read_number(input, "eject-max-percent", {0, 100}, "the default, 90, is used", out)) {
    ejection.max_percent = static_cast<std::uint32_t>(*percent);
  }
  if (const auto time =
          read_duration(input, "eject-time", false, "the default, 1s, is used", out)) {
    ejection.base = *time;
    ejection.longest = std::max(ejection.longest, *time);
  }
}

void translate_health_check(const FeatureInput& input, FeatureOutput& out) {
  model::HealthCheck check;
  check.kind = read_kind(input, out);
  read_texts(input, check, out);
  read_numbers(input, check, out);
  if (check.kind != model::CheckKind::kNone) out.cluster.health = check;
  read_ejection(input, out.cluster.ejection, out);
}

Row row(std::string_view key, std::string_view value, std::string_view help) {
  return {.key = key,
          .aliases = "",
          .scope = Scope::kUpstream,
          .risk = Risk::kLow,
          .value = value,
          .help = help,
          .ours = true};
}

}  // namespace

extern const Feature kHealthCheck;
const Feature kHealthCheck = {
    "health_check",
    {row("health-check", "http, tcp, grpc or off (off; http when there is a path)",
         "How endpoints are asked whether they are well."),
     row("health-check-path", "a path (/)", "Asked with GET; 200 to 399 is well."),
     row("health-check-host", "a host (the endpoint's address)", "Host of the check's request."),
     row("health-check-service", "text (empty: the server as a whole)",
         "What the gRPC check asks about."),
     row("health-check-port", "1..65535 (the endpoint's own)", "Where the check connects to."),
     row("health-check-interval", "a duration (10s)", "From one check to the next."),
     row("health-check-timeout", "a duration (2s)", "A check without answer has failed then."),
     row("health-check-healthy", "1..100 (2)", "Good checks in a row that bring one back."),
     row("health-check-unhealthy", "1..100 (3)", "Failed ones in a row that take one out."),
     row("eject-connect-failures", "0..100, 0: never (1)",
         "Failed connects in a row that take an endpoint out for a while."),
     row("eject-errors", "0..1000, 0: never (0)",
         "5xx or broken answers in a row that take an endpoint out for a while."),
     row("eject-max-percent", "0..100 (90)", "Most endpoints that may be out that way."),
     row("eject-time", "a duration (1s)", "How long at first; twice as long each time again.")},
    translate_health_check};

}  // namespace weir::annotations
