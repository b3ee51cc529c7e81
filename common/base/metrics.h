#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace weir::base {

// Metrics in the Prometheus text format (version 0.0.4). Who counts owns the numbers; a source is
// asked for them only when somebody scrapes, so counting costs nothing here. The prometheus-cpp
// wrapper is metrics.cc.

using MetricLabels = std::vector<std::pair<std::string, std::string>>;

// One number of a counter or gauge.
struct Sample {
  MetricLabels labels;
  double value = 0;
};

// buckets: (upper bound, observations at or below it), bounds rising, counts cumulative; the
// "+Inf" bucket is added from count when missing. sum in the unit of the bounds.
struct HistogramSample {
  MetricLabels labels;
  std::vector<std::pair<double, std::uint64_t>> buckets;
  double sum = 0;
  std::uint64_t count = 0;
};

enum class MetricType : std::uint8_t { kCounter, kGauge, kHistogram };

// One metric name. A counter or gauge has samples, a histogram has histograms; the other list is
// not read.
struct Family {
  std::string name;
  std::string help;
  MetricType type = MetricType::kCounter;
  std::vector<Sample> samples;
  std::vector<HistogramSample> histograms;
};

// Gives its current numbers. collect() may be called from the admin thread while other threads
// count: the implementation reads atomics or a copy, and does not block the counting side.
class MetricSource {
 public:
  virtual ~MetricSource() = default;
  virtual void collect(std::vector<Family>& out) const = 0;
};

// Renders what the sources give now: families of equal name are merged (the first one's help and
// type stand; one of another type is left out), label values and help are escaped. Families and
// samples keep their order. sources: borrowed for the call, none null. Any thread.
std::string render(const std::vector<const MetricSource*>& sources);

inline constexpr const char* kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace weir::base
