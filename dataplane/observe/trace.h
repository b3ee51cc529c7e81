#pragma once

#include <string>
#include <vector>

#include "common/base/clock.h"
#include "dataplane/observe/record.h"
#include "dataplane/observe/trace_context.h"

namespace weir::observe {

// One try on one endpoint, as a trace tells it. Times are zero where nothing happened.
struct TracedAttempt {
  SpanId span{};
  base::TimePoint started;
  base::TimePoint head;  // of the response
  base::TimePoint ended;
  std::string endpoint;      // "10.0.0.7:8080"
  std::string host;          // "shop.example.test"
  base::Duration connect{};  // zero on a pooled connection
  bool reused = false;
  int status = 0;     // 0: no response
  std::string error;  // why it failed
};

// What is remembered of one request while it runs, only when it is traced: made by the exchange,
// read once it is over (spans) or when its response begins (the decisions for a signed request).
struct Trace {
  TraceId trace{};
  SpanId span{};
  SpanId parent{};               // zero: the trace begins here
  std::string state;             // tracestate, as it came
  bool sampled = false;          // spans go to the collector
  bool propagates = false;       // endpoints are told of the trace
  bool tells = false;            // the request was signed: the response carries the decisions
  std::uint32_t replied_by = 0;  // the filter that answered, from 1; 0: none
  base::TimePoint started;
  base::WallTime started_wall;
  std::vector<TracedAttempt> attempts;
};

// The decisions, one line each, at most kMostLines of at most kLongestLine bytes, without control
// characters. filters: what ran, in order. now: when the response began.
struct Decisions {
  static constexpr std::size_t kMostLines = 16;
  static constexpr std::size_t kLongestLine = 400;
  std::string_view listener;
  std::string_view route;  // "Ingress shop/cart spec.rules[0].http.paths[1]"; empty: none
  std::string_view match;  // "shop.example.test prefix /cart"
  std::string_view cluster;
  std::vector<std::string> filters;  // "basic_auth replied"
  int status = 0;
  std::string_view error;  // why Weir answered itself
};
std::vector<std::string> describe(const Trace& trace, const Decisions& decisions,
                                  base::TimePoint now);

// The signature of a request that asks for its decisions: "<unix seconds>.<64 hex>", the
// HMAC-SHA256 (RFC 2104) of "<unix seconds>.<host>" by the key; host in lower case, without port.
// Not older and not younger than kSkew.
inline constexpr std::int64_t kDebugSkewSeconds = 60;
bool is_signed(std::string_view header, std::string_view authority, std::string_view key,
               base::WallTime now);

}  // namespace weir::observe
