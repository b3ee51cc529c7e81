#include "common/base/pressure.h"

#include <gtest/gtest.h>

#include "common/base/budget.h"

namespace weir::base {
namespace {

constexpr std::size_t kMany = 1'000'000'000;

TEST(Pressure, LevelsBeginAt80And90And95PercentAndEndFivePointsLower) {
  PressureGauge gauge(kMany);
  const struct {
    unsigned percent;
    Pressure want;
  } steps[] = {{0, Pressure::kNone},       {79, Pressure::kNone},      {80, Pressure::kBodies},
               {76, Pressure::kBodies},    {74, Pressure::kNone},      {90, Pressure::kKeepAlive},
               {86, Pressure::kKeepAlive}, {84, Pressure::kBodies},    {99, Pressure::kRequests},
               {91, Pressure::kRequests},  {89, Pressure::kKeepAlive}, {10, Pressure::kNone},
               {150, Pressure::kRequests}};
  for (const auto& step : steps) {
    gauge.settle(kMany / 100 * step.percent);
    EXPECT_EQ(gauge.level(), step.want) << step.percent;
  }
}

TEST(Pressure, ChargedBytesRaiseTheLevelAtOnceAndNeverLowerIt) {
  ProcessBudget budget(kMany);
  budget.add(static_cast<std::int64_t>(kMany / 100 * 81));
  EXPECT_EQ(budget.pressure().level(), Pressure::kBodies);
  budget.add(static_cast<std::int64_t>(kMany / 100 * 15));
  EXPECT_EQ(budget.pressure().level(), Pressure::kRequests);
  budget.add(-static_cast<std::int64_t>(budget.used()));
  EXPECT_EQ(budget.pressure().level(), Pressure::kRequests);
  budget.pressure().settle(0);
  EXPECT_EQ(budget.pressure().level(), Pressure::kNone);
  budget.add(static_cast<std::int64_t>(kMany / 100 * 81));
  EXPECT_EQ(budget.pressure().level(), Pressure::kBodies);
}

TEST(Pressure, WhatNobodyChargesCountsBesideWhatIsCharged) {
  ProcessBudget budget(kMany);
  budget.pressure().settle(kMany / 100 * 30, kMany / 100 * 30);
  budget.add(static_cast<std::int64_t>(kMany / 100 * 49));
  EXPECT_EQ(budget.pressure().level(), Pressure::kNone);
  budget.add(static_cast<std::int64_t>(kMany / 100 * 2));
  EXPECT_EQ(budget.pressure().level(), Pressure::kBodies) << "30 beside 51";
  budget.add(static_cast<std::int64_t>(kMany / 100 * 15));
  EXPECT_EQ(budget.pressure().level(), Pressure::kRequests) << "30 beside 66";
}

std::uint64_t measured = 0;
int measures = 0;

TEST(Pressure, WhatGrowsUnsaidIsMeasuredAsTheSaidBytesGrow) {
  measured = kMany / 100 * 10;
  measures = 0;
  ProcessBudget budget(kMany);
  budget.pressure().measure_by([] {
    ++measures;
    return measured;
  });
  budget.pressure().settle(measured);
  for (int i = 0; i < 1'000; ++i) budget.add(kMany / 10'000);
  EXPECT_EQ(budget.pressure().level(), Pressure::kNone);
  EXPECT_GE(measures, 5) << "10 % more of the limit";
  EXPECT_LE(measures, 7) << "and not with every byte";
  measured = kMany / 100 * 91;
  budget.add(kMany / 50);
  EXPECT_EQ(budget.pressure().level(), Pressure::kKeepAlive) << "12 % are said, 91 % are there";
  measured = kMany / 100 * 96;
  budget.add(kMany / 50);
  EXPECT_EQ(budget.pressure().level(), Pressure::kRequests);
  budget.pressure().settle(0);
  EXPECT_EQ(budget.pressure().level(), Pressure::kNone) << "settling alone leaves a level";
}

TEST(Pressure, WithoutALimitThereIsNone) {
  PressureGauge gauge(0);
  gauge.rose(1'000'000'000'000);
  gauge.settle(kMany, kMany);
  gauge.rose(1'000'000'000'000);
  EXPECT_EQ(gauge.level(), Pressure::kNone);
}

}  // namespace
}  // namespace weir::base
