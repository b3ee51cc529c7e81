#include "common/base/metrics.h"

#include <gtest/gtest.h>

#include <limits>

namespace weir::base {
namespace {

class Fixed final : public MetricSource {
 public:
  explicit Fixed(std::vector<Family> families) : families_(std::move(families)) {}
  void collect(std::vector<Family>& out) const override {
    out.insert(out.end(), families_.begin(), families_.end());
  }

 private:
  std::vector<Family> families_;
};

Family counter(std::string name, std::vector<Sample> samples) {
  return Family{std::move(name), "Help.", MetricType::kCounter, std::move(samples), {}};
}

TEST(Metrics, CountersAndGaugesAreRenderedWithHelpTypeAndLabels) {
  const Fixed one({counter("weir_requests_total", {{{{"host", "a"}, {"code", "200"}}, 12}}),
                   Family{"weir_up", "Ready.", MetricType::kGauge, {{{}, 1}}, {}}});
  EXPECT_EQ(render({&one}),
            "# HELP weir_requests_total Help.\n"
            "# TYPE weir_requests_total counter\n"
            "weir_requests_total{host=\"a\",code=\"200\"} 12\n"
            "# HELP weir_up Ready.\n"
            "# TYPE weir_up gauge\n"
            "weir_up 1\n");
}

TEST(Metrics, HistogramGetsItsInfBucketOnceFromCount) {
  const auto with = [](std::vector<std::pair<double, std::uint64_t>> buckets) {
    HistogramSample sample{{{"k", "v"}}, std::move(buckets), 2.5, 4};
    return Family{"weir_seconds", "Time.", MetricType::kHistogram, {}, {std::move(sample)}};
  };
  const std::string want =
      "# HELP weir_seconds Time.\n"
      "# TYPE weir_seconds histogram\n"
      "weir_seconds_count{k=\"v\"} 4\n"
      "weir_seconds_sum{k=\"v\"} 2.5\n"
      "weir_seconds_bucket{k=\"v\",le=\"0.5\"} 3\n"
      "weir_seconds_bucket{k=\"v\",le=\"+Inf\"} 4\n";
  const Fixed bare({with({{0.5, 3}})});
  EXPECT_EQ(render({&bare}), want);
  const Fixed complete({with({{0.5, 3}, {std::numeric_limits<double>::infinity(), 4}})});
  EXPECT_EQ(render({&complete}), want);
}

TEST(Metrics, FamiliesOfOneNameFromSeveralSourcesShareOneHeader) {
  const Fixed one({counter("x_total", {{{{"w", "0"}}, 1}})});
  const Fixed two({counter("x_total", {{{{"w", "1"}}, 2}}),
                   Family{"x_total", "Other.", MetricType::kGauge, {{{}, 9}}, {}}});
  EXPECT_EQ(
      render({&one, &two}),
      "# HELP x_total Help.\n# TYPE x_total counter\nx_total{w=\"0\"} 1\nx_total{w=\"1\"} 2\n");
}

TEST(Metrics, HostileLabelValuesCannotBreakALine) {
  const Fixed one({counter("x_total", {{{{"path", "a\"} 1\nevil 2\\"}}, 3}})});
  EXPECT_EQ(render({&one}),
            "# HELP x_total Help.\n# TYPE x_total counter\n"
            "x_total{path=\"a\\\"} 1\\nevil 2\\\\\"} 3\n");
}

TEST(Metrics, LargeCountersKeepEveryDigit) {
  const Fixed one({counter("x_total", {{{}, 9007199254740991.0}})});
  EXPECT_NE(render({&one}).find("x_total 9007199254740991\n"), std::string::npos) << render({&one});
}

TEST(Metrics, NoSourceGivesAnEmptyText) { EXPECT_EQ(render({}), ""); }

}  // namespace
}  // namespace weir::base
