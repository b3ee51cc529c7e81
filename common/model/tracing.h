#pragma once

#include <cstdint>
#include <string>

#include "common/base/fields.h"

namespace weir::model {

using base::field;

// Spans for an OpenTelemetry collector.
struct Tracing {
  std::string collector;  // "http://otel-collector.observe:4318/v1/traces" (OTLP over HTTP); empty:
                          // no spans are made
  std::uint32_t sample_per_million = 10'000;  // of the traces that begin here
  bool trust_parent = true;  // a valid traceparent of the client: its trace goes on, and its flag
                             // decides; false: every request begins a trace
  std::string service = "weir";  // service.name
  bool operator==(const Tracing&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("collector", &Tracing::collector),
              field("sample_per_million", &Tracing::sample_per_million),
              field("trust_parent", &Tracing::trust_parent), field("service", &Tracing::service));
  }
};

}  // namespace weir::model
