#include <map>

#include "dataplane/observe/metrics.h"

namespace weir::observe {
namespace {

constexpr double kNanosPerSecond = 1e9;

template <std::size_t N>
struct HistogramSum {
  std::array<std::uint64_t, N + 1> buckets{};
  std::uint64_t sum = 0;

  template <std::size_t Many, std::size_t Usual>
  void add(const Histograms<N, Many, Usual>& group, std::size_t which) {
    for (std::size_t i = 0; i <= N; ++i) buckets[i] += group.bucket(which, i);
    sum += group.sum(which);
  }
  std::uint64_t count() const {
    std::uint64_t all = 0;
    for (const std::uint64_t bucket : buckets) all += bucket;
    return all;
  }
  // unit: observed units in one unit of the metric.
  base::HistogramSample sample(const std::array<std::uint64_t, N>& bounds, double unit,
                               const base::MetricLabels& labels) const {
    base::HistogramSample out;
    out.labels = labels;
    out.sum = static_cast<double>(sum) / unit;
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < N; ++i) {
      below += buckets[i];
      out.buckets.emplace_back(static_cast<double>(bounds[i]) / unit, below);
    }
    out.count = below + buckets[N];
    return out;
  }
};

// One series summed over the workers.
struct SeriesSum {
  std::uint64_t requests = 0;
  HistogramSum<11> request_duration;
  HistogramSum<11> response_duration;
  HistogramSum<11> header_duration;
  HistogramSum<11> connect_duration;
  HistogramSum<10> request_size;
  HistogramSum<10> response_size;
  HistogramSum<7> bytes_sent;

  void add(const Series& one) {
    requests += one.requests.read();
    request_duration.add(one.durations, Series::kRequest);
    response_duration.add(one.durations, Series::kResponse);
    header_duration.add(one.durations, Series::kHeader);
    connect_duration.add(one.durations, Series::kConnect);
    request_size.add(one.sizes, Series::kRequestSize);
    response_size.add(one.sizes, Series::kResponseSize);
    bytes_sent.add(one.bytes_sent, 0);
  }
};

base::Family family(std::string name, std::string help, base::MetricType type) {
  return {"nginx_ingress_controller_" + std::move(name), std::move(help), type, {}, {}};
}

// The families of ingress-nginx, filled series by series.
class Families {
 public:
  void add(const SeriesSum& sum, const base::MetricLabels& labels) {
    requests_.samples.push_back({labels, static_cast<double>(sum.requests)});
    add_durations(sum, labels);
    const auto size = [&labels](base::Family& to, const auto& from, const auto& bounds) {
      to.histograms.push_back(from.sample(bounds, 1, labels));
    };
    size(request_size_, sum.request_size, kSizeBounds);
    size(response_size_, sum.response_size, kSizeBounds);
    size(bytes_sent_, sum.bytes_sent, kBytesBounds);
  }
  void move_to(std::vector<base::Family>& out) {
    for (base::Family* one :
         {&requests_, &request_duration_, &response_duration_, &header_duration_,
          &connect_duration_, &request_size_, &response_size_, &bytes_sent_}) {
      out.push_back(std::move(*one));
    }
  }

 private:
  void add_durations(const SeriesSum& sum, const base::MetricLabels& labels) {
    const auto add = [&labels](base::Family& to, const HistogramSum<11>& from) {
      if (from.count() == 0) return;
      to.histograms.push_back(from.sample(kDurationBounds, kNanosPerSecond, labels));
    };
    add(request_duration_, sum.request_duration);
    add(response_duration_, sum.response_duration);
    add(header_duration_, sum.header_duration);
    add(connect_duration_, sum.connect_duration);
  }

  static constexpr auto kHistogram = base::MetricType::kHistogram;
  base::Family requests_ =
      family("requests", "The total number of client requests", base::MetricType::kCounter);
  base::Family request_duration_ =
      family("request_duration_seconds", "The request processing time in seconds", kHistogram);
  base::Family response_duration_ =
      family("response_duration_seconds",
             "The time spent on receiving the response from the upstream server", kHistogram);
  base::Family header_duration_ =
      family("header_duration_seconds",
             "The time spent on receiving first header from the upstream server", kHistogram);
  base::Family connect_duration_ =
      family("connect_duration_seconds",
             "The time spent on establishing a connection with the upstream server", kHistogram);
  base::Family request_size_ = family(
      "request_size", "The request length (including request line, header, and body)", kHistogram);
  base::Family response_size_ = family("response_size", "The response body length", kHistogram);
  base::Family bytes_sent_ =
      family("bytes_sent", "The number of bytes sent to a client", kHistogram);
};

void add_route_labels(base::MetricLabels& out, const LabelSet& set, const SeriesKey& key) {
  out.emplace_back("status", key.status == 0 ? "_other" : std::to_string(key.status));
  out.emplace_back("method", std::string(kMethods[key.method]));
  out.emplace_back("path", set.route.path);
  out.emplace_back("namespace", set.route.ns);
  out.emplace_back("ingress", set.route.ingress);
  out.emplace_back("service", set.route.service);
  out.emplace_back("canary", "");
  out.emplace_back("host", set.host);
}

}  // namespace

base::MetricLabels InstanceLabels::list() const {
  return {{"controller_namespace", controller_namespace},
          {"controller_class", controller_class},
          {"controller_pod", controller_pod}};
}

TrafficMetrics::TrafficMetrics(const Labels& labels, std::vector<const WorkerRecorder*> recorders,
                               InstanceLabels instance)
    : labels_(labels), recorders_(std::move(recorders)), instance_(std::move(instance)) {}

void TrafficMetrics::collect(std::vector<base::Family>& out) const {
  std::map<std::uint64_t, SeriesSum> sums;
  for (const WorkerRecorder* recorder : recorders_) {
    const SeriesTable& table = recorder->series();
    for (std::size_t i = 0; i < table.size(); ++i) {
      const Series& series = table.series(i);
      sums[series.key.load(std::memory_order_acquire)].add(series);
    }
  }
  Families families;
  for (const auto& [packed, sum] : sums) {
    const SeriesKey key = SeriesKey::unpack(packed);
    const auto set = labels_.find(key.labels);
    if (set == nullptr || sum.requests == 0) continue;
    base::MetricLabels labels = instance_.list();
    add_route_labels(labels, *set, key);
    families.add(sum, labels);
  }
  families.move_to(out);
}

}  // namespace weir::observe
