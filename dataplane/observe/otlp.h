#pragma once

#include <string>

#include "dataplane/observe/trace.h"

namespace weir::observe {

// OpenTelemetry's protocol (opentelemetry-proto 1.x, trace/v1 and collector/trace/v1), in protobuf:
// only what we say. Names of attributes are those of the semantic conventions for HTTP spans.

// The spans of one request as fields `spans` of a ScopeSpans: concatenated, those of many requests
// are one. now: when the request ended.
//   returns: the number of spans.
std::size_t append_spans(const Trace& trace, const ExchangeRecord& record, base::TimePoint now,
                         std::string& out);

// An ExportTraceServiceRequest around spans of append_spans.
std::string export_request(std::string_view service, std::string_view instance,
                           std::string_view spans);

// How many spans such bytes hold.
std::size_t count_spans(std::string_view spans);

}  // namespace weir::observe
