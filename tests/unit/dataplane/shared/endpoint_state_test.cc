#include "dataplane/shared/endpoint_state.h"

#include <gtest/gtest.h>

#include "dataplane/shared/cluster_state.h"

namespace weir::shared {
namespace {

using namespace std::chrono_literals;

class EndpointStateTest : public testing::Test {
 protected:
  model::Ejection rule;
  EndpointState state{2, base::TimePoint()};
  base::TimePoint now{std::chrono::hours(1)};
};

TEST_F(EndpointStateTest, CountsAreSummedOverTheWorkers) {
  state.cell(0).requests = 3;
  state.cell(1).requests = 4;
  state.cell(1).connections = 2;
  EXPECT_EQ(state.requests(), 7U);
  EXPECT_EQ(state.connections(), 2U);
  EXPECT_FALSE(EndpointState(0, {}).counts());
  EXPECT_EQ(EndpointState(0, {}).requests(), 0U);
}

TEST_F(EndpointStateTest, EjectionsGrowUpToTheLongestAndBeginAfreshLater) {
  rule.longest = 4s;
  base::Duration want = 1s;
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(state.connect_failed(rule, now)) << i;
    EXPECT_EQ(state.ejected_until() - now, want) << i;
    EXPECT_FALSE(state.connect_failed(rule, now)) << "it is out already";
    now = state.ejected_until();
    want = std::min<base::Duration>(want * 2, 4s);
  }
  now += 5s;
  EXPECT_TRUE(state.connect_failed(rule, now));
  EXPECT_EQ(state.ejected_until() - now, 1s);
}

TEST_F(EndpointStateTest, OnlyFailuresInARowCount) {
  rule.errors = 3;
  EXPECT_FALSE(state.answer_failed(rule, now));
  EXPECT_FALSE(state.answer_failed(rule, now));
  state.answer_good();
  EXPECT_FALSE(state.answer_failed(rule, now));
  EXPECT_FALSE(state.answer_failed(rule, now));
  EXPECT_TRUE(state.answer_failed(rule, now));
  EXPECT_TRUE(state.ejected(now + 500ms));
  EXPECT_FALSE(state.ejected(now + 1s));
  rule.errors = 0;
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(state.answer_failed(rule, now + 10s));
}

TEST_F(EndpointStateTest, OneTrialAtATime) {
  ASSERT_TRUE(state.connect_failed(rule, now));
  EXPECT_FALSE(state.claim_trial(rule, now)) << "still out";
  now += 1s;
  EXPECT_TRUE(state.on_trial(rule));
  EXPECT_TRUE(state.claim_trial(rule, now));
  EXPECT_EQ(state.ejected_until() - now, 2s) << "twice as long, should it fail";
  EXPECT_FALSE(state.claim_trial(rule, now));
  EXPECT_TRUE(state.connected(now)) << "it came in by this";
  EXPECT_FALSE(state.ejected(now));
  EXPECT_FALSE(state.connected(now));
}

TEST_F(EndpointStateTest, AVerdictNeedsARow) {
  model::HealthCheck check;
  for (const bool well : {false, false, true, false, false}) {
    EXPECT_FALSE(state.checked(well, check, now));
  }
  EXPECT_TRUE(state.checked(false, check, now));
  EXPECT_FALSE(state.healthy());
  EXPECT_FALSE(state.checked(true, check, now));
  EXPECT_TRUE(state.checked(true, check, now));
  EXPECT_TRUE(state.healthy());
  EXPECT_EQ(state.warm_since(), now) << "it starts slowly";
}

TEST_F(EndpointStateTest, AnswerTimesRiseAtOnceAndFallSlowly) {
  EXPECT_EQ(state.cost(now), 0);
  state.answered(10ms, now);
  EXPECT_DOUBLE_EQ(state.cost(now), 10e6);
  state.answered(100ms, now);
  EXPECT_DOUBLE_EQ(state.cost(now), 100e6);
  state.answered(10ms, now + 1s);
  EXPECT_NEAR(state.cost(now + 1s), 91.4e6, 1e6);
  EXPECT_LT(state.cost(now + 60s), 1e6);
}

TEST(Enter, NeverLetsMoreInThanTheLimit) {
  std::atomic<std::uint32_t> count{0};
  EXPECT_TRUE(enter(count, 2));
  EXPECT_TRUE(enter(count, 2));
  EXPECT_FALSE(enter(count, 2));
  leave(count);
  EXPECT_TRUE(enter(count, 2));
  EXPECT_EQ(count, 2U);
}

}  // namespace
}  // namespace weir::shared
