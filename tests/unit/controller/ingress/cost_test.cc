#include "tests/unit/cost.h"

#include <gtest/gtest.h>

#include "controller/ingress/translator.h"

// A change costs what it touches, not what exists.

namespace weir::ingress {
namespace {

using store::Kind;
using Clock = tests::CpuClock;

store::ObjectPtr make_ingress(int i, int version) {
  auto out = std::make_shared<store::Ingress>();
  out->key = {Kind::kIngress, "shop", "i" + std::to_string(i)};
  out->resource_version = std::to_string(version);
  store::IngressBackend backend;
  backend.service.emplace(store::ServiceRef{"s" + std::to_string(i % 100), "", 80});
  store::IngressRule rule;
  rule.host = "h" + std::to_string(i) + ".test";
  rule.paths.push_back({"/v" + std::to_string(version), store::PathType::kPrefix, backend});
  out->rules.push_back(std::move(rule));
  return out;
}

// Median of the time of one change to one of `count` Ingresses.
std::chrono::microseconds change_cost(int count) {
  Config config;
  config.watch_without_class = true;
  const IngressTranslator translator(config);
  store::Store store;
  for (int i = 0; i < count; ++i) store.put(make_ingress(i, 0));
  translate::Engine engine(store, {&translator});
  translate::Engine::Changes all;
  engine.run(base::system_clock(), base::TimePoint::max(), all);
  std::vector<std::chrono::microseconds> times;
  for (int i = 1; i <= 101; ++i) {
    auto changed = make_ingress(i % count, i);
    const auto start = Clock::now();
    engine.touch(store.put(std::move(changed)));
    translate::Engine::Changes changes;
    engine.run(base::system_clock(), base::TimePoint::max(), changes);
    times.push_back(std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start));
    EXPECT_EQ(changes.upserts.size(), 1U);   // the new route; host and "/" stay
    EXPECT_EQ(changes.removals.size(), 1U);  // the old route
  }
  std::nth_element(times.begin(), times.begin() + 50, times.end());
  return times[50];
}

TEST(IngressTranslation, OneChangeAmongTwentyThousandCostsUnderAMillisecond) {
  const auto few = change_cost(10);
  constexpr int kMany = tests::kSanitized ? 2'000 : 20'000;
  const auto many = change_cost(kMany);
  RecordProperty("few_us", static_cast<int>(few.count()));
  RecordProperty("many_us", static_cast<int>(many.count()));
  std::printf("one change: %lld us among 10, %lld us among %d\n",
              static_cast<long long>(few.count()), static_cast<long long>(many.count()), kMany);
  tests::expect_cost_below(many, std::chrono::microseconds(1'000));
}

}  // namespace
}  // namespace weir::ingress
