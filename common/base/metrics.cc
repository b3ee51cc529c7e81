#include "common/base/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <cmath>
#include <limits>
#include <unordered_map>

namespace weir::base {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;

prometheus::MetricType to_prometheus(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return prometheus::MetricType::Counter;
    case MetricType::kGauge:
      return prometheus::MetricType::Gauge;
    case MetricType::kHistogram:
      return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

std::vector<ClientMetric::Label> to_labels(MetricLabels& labels) {
  std::vector<ClientMetric::Label> out;
  out.reserve(labels.size());
  for (auto& [name, value] : labels) {
    ClientMetric::Label label;
    label.name = std::move(name);
    label.value = std::move(value);
    out.push_back(std::move(label));
  }
  return out;
}

void add_sample(MetricFamily& family, Sample& sample) {
  ClientMetric& metric = family.metric.emplace_back();
  metric.label = to_labels(sample.labels);
  metric.counter.value = sample.value;
  metric.gauge.value = sample.value;
}

void add_histogram(MetricFamily& family, HistogramSample& sample) {
  ClientMetric& metric = family.metric.emplace_back();
  metric.label = to_labels(sample.labels);
  metric.histogram.sample_count = sample.count;
  metric.histogram.sample_sum = sample.sum;
  for (const auto& [bound, count] : sample.buckets) {
    ClientMetric::Bucket bucket;
    bucket.upper_bound = bound;
    bucket.cumulative_count = count;
    metric.histogram.bucket.push_back(bucket);
  }
  if (!sample.buckets.empty() && std::isinf(sample.buckets.back().first)) return;
  ClientMetric::Bucket rest;
  rest.upper_bound = std::numeric_limits<double>::infinity();
  rest.cumulative_count = sample.count;
  metric.histogram.bucket.push_back(rest);
}

// Puts families of one name together: the format allows one HELP and TYPE line per name.
class Merger {
 public:
  void add(Family& family) {
    const auto [at, fresh] = places_.try_emplace(family.name, out_.size());
    if (fresh) {
      MetricFamily& made = out_.emplace_back();
      made.name = std::move(family.name);
      made.help = std::move(family.help);
      made.type = to_prometheus(family.type);
    }
    MetricFamily& target = out_[at->second];
    if (target.type != to_prometheus(family.type)) return;
    if (family.type == MetricType::kHistogram) {
      for (HistogramSample& sample : family.histograms) add_histogram(target, sample);
    } else {
      for (Sample& sample : family.samples) add_sample(target, sample);
    }
  }
  const std::vector<MetricFamily>& families() const { return out_; }

 private:
  std::vector<MetricFamily> out_;
  std::unordered_map<std::string, std::size_t> places_;
};

}  // namespace

std::string render(const std::vector<const MetricSource*>& sources) {
  std::vector<Family> collected;
  for (const MetricSource* source : sources) source->collect(collected);
  Merger merger;
  for (Family& family : collected) merger.add(family);
  return prometheus::TextSerializer().Serialize(merger.families());
}

}  // namespace weir::base
