#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "common/base/fields.h"

namespace weir::model {

using base::field;

enum class CheckKind : std::uint8_t { kNone, kHttp, kTcp, kGrpc };
inline base::EnumNames enum_names(CheckKind) { return {"none", "http", "tcp", "grpc"}; }

// How endpoints are asked whether they are well. kHttp: GET path, well is 200 to 399. kTcp: a
// connection opens. kGrpc: grpc.health.v1.Health/Check of `service` says SERVING.
struct HealthCheck {
  CheckKind kind = CheckKind::kNone;
  std::string path = "/";
  std::string host;             // empty: the endpoint's address
  std::string service;          // of kGrpc; empty: the server as a whole
  std::uint16_t port = 0;       // 0: the endpoint's
  std::uint32_t healthy = 2;    // successes in a row that bring an endpoint back
  std::uint32_t unhealthy = 3;  // failures in a row that take it out
  std::chrono::milliseconds interval{10'000};
  std::chrono::milliseconds timeout{2'000};
  bool operator==(const HealthCheck&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("kind", &HealthCheck::kind), field("path", &HealthCheck::path),
              field("host", &HealthCheck::host), field("service", &HealthCheck::service),
              field("port", &HealthCheck::port), field("healthy", &HealthCheck::healthy),
              field("unhealthy", &HealthCheck::unhealthy),
              field("interval_ms", &HealthCheck::interval),
              field("timeout_ms", &HealthCheck::timeout));
  }
};

// What takes an endpoint out for a while because of real requests, and for how long: the base time,
// twice as long each time again, at most `longest`. When it ends, requests try it once more.
struct Ejection {
  std::uint32_t connect_failures = 1;  // in a row; 0: never
  std::uint32_t errors = 0;            // 5xx answers or broken ones in a row; 0: never
  std::uint32_t max_percent = 90;      // of the endpoints, at most so many are out by ejection
  std::chrono::milliseconds base{1'000};
  std::chrono::milliseconds longest{30'000};
  bool operator==(const Ejection&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("connect_failures", &Ejection::connect_failures),
              field("errors", &Ejection::errors), field("max_percent", &Ejection::max_percent),
              field("base_ms", &Ejection::base), field("longest_ms", &Ejection::longest));
  }
};

// What a cluster may have going on at once in this process; over it requests answer 503. 0: no
// limit.
struct CircuitLimits {
  std::uint32_t max_connections = 0;  // to all its endpoints
  std::uint32_t max_requests = 0;     // in flight
  std::uint32_t max_pending = 0;      // waiting for a connection
  // Requests that are sent again although an endpoint may have seen them: at most so many percent
  // of those in flight, and `retry_floor` more.
  std::uint32_t retry_percent = 20;
  std::uint32_t retry_floor = 10;
  bool operator==(const CircuitLimits&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("max_connections", &CircuitLimits::max_connections),
              field("max_requests", &CircuitLimits::max_requests),
              field("max_pending", &CircuitLimits::max_pending),
              field("retry_percent", &CircuitLimits::retry_percent),
              field("retry_floor", &CircuitLimits::retry_floor));
  }
};

}  // namespace weir::model
