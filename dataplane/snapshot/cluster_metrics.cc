#include "dataplane/snapshot/cluster_metrics.h"

#include <array>
#include <map>

namespace weir::snapshot {
namespace {

using Totals = shared::ClusterState::Totals;
using Total = std::atomic<std::uint64_t> Totals::*;

constexpr std::size_t kFigures = 10;
using Figures = std::array<double, kFigures>;  // in the order of kSeries

struct Series {
  const char* name;
  const char* label;  // beside "cluster"; empty: none
  const char* value;
  Total total;  // null: endpoints that are out
};
constexpr std::array<Series, kFigures> kSeries = {{
    {"weir_upstream_endpoints_out", "why", "check", nullptr},
    {"weir_upstream_endpoints_out", "why", "ejected", nullptr},
    {"weir_upstream_ejections_total", "", "", &Totals::ejections},
    {"weir_upstream_retries_total", "", "", &Totals::retries},
    {"weir_upstream_retries_refused_total", "", "", &Totals::retries_refused},
    {"weir_upstream_overflow_total", "limit", "connections", &Totals::over_connections},
    {"weir_upstream_overflow_total", "limit", "requests", &Totals::over_requests},
    {"weir_upstream_overflow_total", "limit", "pending", &Totals::over_pending},
    {"weir_upstream_checks_total", "result", "good", &Totals::checks_good},
    {"weir_upstream_checks_total", "result", "bad", &Totals::checks_bad},
}};

struct Description {
  const char* name;
  const char* help;
  base::MetricType type;
};
constexpr std::array<Description, 6> kFamilies = {{
    {"weir_upstream_endpoints_out", "Endpoints that get no requests, by reason.",
     base::MetricType::kGauge},
    {"weir_upstream_ejections_total", "Endpoints taken out because requests failed there.",
     base::MetricType::kCounter},
    {"weir_upstream_retries_total", "Requests that were tried again.", base::MetricType::kCounter},
    {"weir_upstream_retries_refused_total", "Retries that the cluster's budget did not allow.",
     base::MetricType::kCounter},
    {"weir_upstream_overflow_total", "Requests refused because a limit of the cluster was reached.",
     base::MetricType::kCounter},
    {"weir_upstream_checks_total", "Health checks by result.", base::MetricType::kCounter},
}};

Figures figures_of(const upstream::Cluster& cluster, base::TimePoint now) {
  Figures out{};
  for (const upstream::Endpoint& endpoint : cluster.endpoints) {
    out[0] += endpoint.state->healthy() ? 0 : 1;
    out[1] += endpoint.state->ejected(now) ? 1 : 0;
  }
  for (std::size_t i = 0; i < kFigures; ++i) {
    if (kSeries[i].total == nullptr) continue;
    const auto& total = cluster.state->totals.*kSeries[i].total;
    out[i] = static_cast<double>(total.load(std::memory_order_relaxed));
  }
  return out;
}

std::map<std::string, Figures> gather(const exchange::Snapshot& snapshot) {
  const base::TimePoint now = base::system_clock().now();
  std::map<std::string, Figures> all;
  snapshot.clusters.for_each([&](std::string_view name, const upstream::Cluster& cluster) {
    const Figures figures = figures_of(cluster, now);
    if (figures != Figures{}) all.emplace(name, figures);
  });
  if (all.size() <= ClusterMetrics::kMost) return all;
  Figures other{};
  for (auto at = std::next(all.begin(), ClusterMetrics::kMost); at != all.end();) {
    for (std::size_t i = 0; i < kFigures; ++i) other[i] += at->second[i];
    at = all.erase(at);
  }
  all.emplace("_other", other);
  return all;
}

}  // namespace

void ClusterMetrics::collect(std::vector<base::Family>& out) const {
  const auto snapshot = current_();
  if (snapshot == nullptr) return;
  const std::map<std::string, Figures> all = gather(*snapshot);
  for (const Description& family : kFamilies) {
    base::Family next{family.name, family.help, family.type, {}, {}};
    for (const auto& [name, figures] : all) {
      for (std::size_t i = 0; i < kFigures; ++i) {
        if (std::string_view(kSeries[i].name) != family.name || figures[i] == 0) continue;
        base::MetricLabels labels = {{"cluster", name}};
        if (*kSeries[i].label != '\0') labels.emplace_back(kSeries[i].label, kSeries[i].value);
        next.samples.push_back({std::move(labels), figures[i]});
      }
    }
    if (!next.samples.empty()) out.push_back(std::move(next));
  }
}

}  // namespace weir::snapshot
