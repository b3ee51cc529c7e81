#include "weirctl/top.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "weirctl/metrics_text.h"

namespace weir::weirctl {
namespace {

constexpr std::string_view kRequests = "nginx_ingress_controller_requests";
constexpr std::string_view kLatency = "nginx_ingress_controller_request_duration_seconds_bucket";

RouteCounts& counts_of(TopReading& reading, const MetricLine& line) {
  const auto label = [&line](const char* name) {
    const auto found = line.labels.find(name);
    return found == line.labels.end() ? std::string() : found->second;
  };
  RouteCounts fresh;
  fresh.host = label("host");
  fresh.path = label("path");
  fresh.owner = label("namespace") + "/" + label("ingress");
  fresh.service = label("service");
  const std::string key =
      fresh.host + "\n" + fresh.path + "\n" + fresh.owner + "\n" + fresh.service;
  return reading.try_emplace(key, std::move(fresh)).first->second;
}

void add_requests(TopReading& reading, const MetricLine& line) {
  RouteCounts& counts = counts_of(reading, line);
  counts.requests += line.value;
  const auto status = line.labels.find("status");
  if (status == line.labels.end()) return;
  if (status->second.starts_with('4')) counts.client_errors += line.value;
  if (status->second.starts_with('5')) counts.server_errors += line.value;
}

void add_latency(TopReading& reading, const MetricLine& line) {
  const auto bound = line.labels.find("le");
  if (bound == line.labels.end()) return;
  const double seconds =
      bound->second == "+Inf" ? INFINITY : std::strtod(bound->second.c_str(), nullptr);
  counts_of(reading, line).latency[seconds] += line.value;
}

double grown(double before, double after) { return after >= before ? after - before : after; }

// Within the bucket that holds it the value is drawn straight, as Prometheus does.
double quantile(double q, const std::map<double, double>& cumulative) {
  const double total = cumulative.empty() ? 0 : cumulative.rbegin()->second;
  if (total <= 0) return 0;
  const double rank = q * total;
  double low = 0;
  double below = 0;
  for (const auto& [bound, count] : cumulative) {
    if (count >= rank) {
      if (std::isinf(bound)) return low;
      return low + (bound - low) * (count > below ? (rank - below) / (count - below) : 0);
    }
    low = bound;
    below = count;
  }
  return low;
}

double sort_value(const TopRow& row, TopSort sort) {
  switch (sort) {
    case TopSort::kRequests:
      return row.rate;
    case TopSort::kErrors:
      return row.server_errors + row.client_errors;
    case TopSort::kLatency:
      return row.p95;
  }
  return 0;
}

std::string clean(std::string_view text, std::size_t width) {
  std::string out;
  for (const char c : text.substr(0, width))
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  if (text.size() > width) out.back() = '~';
  return out;
}

std::string shown_ms(double seconds) {
  char out[32];
  std::snprintf(out, sizeof out, seconds < 0.1 ? "%.1f" : "%.0f", seconds * 1000);
  return seconds == 0 ? "-" : out;
}

}  // namespace

base::Result<TopReading> read_top(std::string_view metrics) {
  TopReading out;
  auto read = read_metrics(metrics, [&out](const MetricLine& line) {
    if (line.name == kRequests) add_requests(out, line);
    if (line.name == kLatency) add_latency(out, line);
  });
  if (!read.ok()) return std::move(read).error();
  return out;
}

std::vector<TopRow> top_rows(const TopReading& before, const TopReading& after, double seconds,
                             TopSort sort) {
  std::vector<TopRow> out;
  for (const auto& [key, now] : after) {
    const auto found = before.find(key);
    const RouteCounts none;
    const RouteCounts& was =
        found == before.end() || found->second.requests > now.requests ? none : found->second;
    TopRow row{now.host, now.path, now.owner, now.service};
    row.rate = grown(was.requests, now.requests) / seconds;
    row.client_errors = grown(was.client_errors, now.client_errors) / seconds;
    row.server_errors = grown(was.server_errors, now.server_errors) / seconds;
    std::map<double, double> between;
    for (const auto& [bound, count] : now.latency) {
      const auto old = was.latency.find(bound);
      between[bound] = old == was.latency.end() ? count : grown(old->second, count);
    }
    row.p50 = quantile(0.5, between);
    row.p95 = quantile(0.95, between);
    row.p99 = quantile(0.99, between);
    out.push_back(std::move(row));
  }
  std::stable_sort(out.begin(), out.end(), [sort](const TopRow& a, const TopRow& b) {
    return std::pair(sort_value(a, sort), a.rate) > std::pair(sort_value(b, sort), b.rate);
  });
  return out;
}

std::string top_text(const std::vector<TopRow>& rows, std::size_t lines) {
  char line[256];
  std::string out;
  std::snprintf(line, sizeof line, "%9s %8s %8s %8s %8s %8s  %-32s %s\n", "REQ/S", "4XX/S", "5XX/S",
                "P50 MS", "P95 MS", "P99 MS", "HOST AND PATH", "INGRESS, SERVICE");
  out += line;
  std::size_t left = lines == 0 ? rows.size() : lines;
  for (const TopRow& row : rows) {
    if (left-- == 0) break;
    std::snprintf(line, sizeof line, "%9.1f %8.1f %8.1f %8s %8s %8s  %-32s %s\n", row.rate,
                  row.client_errors, row.server_errors, shown_ms(row.p50).c_str(),
                  shown_ms(row.p95).c_str(), shown_ms(row.p99).c_str(),
                  clean(row.host + row.path, 48).c_str(),
                  clean(row.owner + ", " + row.service, 60).c_str());
    out += line;
  }
  return out;
}

base::Json top_json(const std::vector<TopRow>& rows, std::size_t lines) {
  base::Json out = base::Json::array();
  for (const TopRow& row : rows) {
    if (lines != 0 && out.items().size() == lines) break;
    base::Json one = base::Json::object();
    one.set("host", row.host);
    one.set("path", row.path);
    one.set("ingress", row.owner);
    one.set("service", row.service);
    one.set("requests_per_second", row.rate);
    one.set("client_errors_per_second", row.client_errors);
    one.set("server_errors_per_second", row.server_errors);
    one.set("p50_seconds", row.p50);
    one.set("p95_seconds", row.p95);
    one.set("p99_seconds", row.p99);
    out.push(std::move(one));
  }
  return out;
}

}  // namespace weir::weirctl
