#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/json.h"
#include "common/base/result.h"

namespace weir::weirctl {

// Counters of one route at one time, summed over status, method and the like.
struct RouteCounts {
  std::string host, path, owner, service;
  double requests = 0, client_errors = 0, server_errors = 0;  // all, 4xx, 5xx
  std::map<double, double> latency;  // upper bound in seconds -> requests at or below; +inf too
};
using TopReading = std::map<std::string, RouteCounts>;  // by host, path, owner and service

//   errors: kInvalid: no metrics.
base::Result<TopReading> read_top(std::string_view metrics);

// What happened between two readings.
struct TopRow {
  std::string host, path, owner, service;
  double rate = 0;                              // requests a second
  double client_errors = 0, server_errors = 0;  // a second
  double p50 = 0, p95 = 0, p99 = 0;             // seconds; 0: no request
};

enum class TopSort { kRequests, kErrors, kLatency };

// seconds: between the readings, > 0. A route of which a counter fell (the dataplane began anew)
// counts from 0. Sorted by `sort`, then by requests, then by name; quiet routes last.
std::vector<TopRow> top_rows(const TopReading& before, const TopReading& after, double seconds,
                             TopSort sort);

// lines: at most so many routes; 0: all. Control bytes of names are shown as '?'.
std::string top_text(const std::vector<TopRow>& rows, std::size_t lines);
base::Json top_json(const std::vector<TopRow>& rows, std::size_t lines);

}  // namespace weir::weirctl
