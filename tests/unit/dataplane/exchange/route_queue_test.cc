#include "dataplane/exchange/route_queue.h"

#include <gtest/gtest.h>

#include <deque>

#include "tests/unit/dataplane/exchange/exchange_fixture.h"

namespace weir::exchange {
namespace {

const base::Error kLeft{base::ErrorKind::kClosed, base::Origin::kClient, false, "left"};

// Exchanges of a table that counts as large: they are routed together before the iteration ends.
class RouteQueueTest : public ExchangeTest {
 protected:
  RouteQueueTest() { next_->wide = true; }

  codec::MessageTarget& start(std::string_view target) {
    streams.emplace_back();
    codec::MessageTarget& out = start_exchange(context, facts, streams.back(), *this);
    out.on_head(head("GET", target), codec::BodyLength::none());
    return out;
  }
  void on_exchange_done() override {
    ExchangeTest::on_exchange_done();
    if (victim != nullptr) std::exchange(victim, nullptr)->on_reset(kLeft);
  }

  std::deque<ScriptedStream> streams;
  codec::MessageTarget* victim = nullptr;  // loses its client when the next exchange is over
};

TEST_F(RouteQueueTest, RoutesWhatCameTogetherBeforeTheIterationEnds) {
  add_route("/");
  constexpr std::size_t kMany = 40;
  for (std::size_t i = 0; i < kMany; ++i) start("/");
  EXPECT_TRUE(upstreams.calls.empty());
  pass(base::Duration::zero());
  ASSERT_EQ(upstreams.calls.size(), kMany);
  for (std::size_t i = 0; i < kMany; ++i) answer(200, "", i);
  EXPECT_EQ(done, static_cast<int>(kMany));
}

TEST_F(RouteQueueTest, AnswersWhatNoRouteTakes) {
  add_route("/shop");
  start("/other");
  EXPECT_EQ(done, 0);
  pass(base::Duration::zero());
  EXPECT_EQ(done, 1);
  EXPECT_EQ(records.last.status, 404);
}

TEST_F(RouteQueueTest, ABodyWaitsUntilItsRequestIsRouted) {
  add_route("/");
  codec::MessageTarget& target = begin(head("POST", "/"), codec::BodyLength::known(2));
  EXPECT_TRUE(client.paused);
  pass(base::Duration::zero());
  ASSERT_EQ(upstreams.calls.size(), 1U);
  EXPECT_FALSE(client.paused);
  target.on_data(worker::Slice::borrowed("ab"));
  target.on_end();
  answer(200, "");
  EXPECT_EQ(records.last.status, 200);
  EXPECT_EQ(done, 1);
}

TEST_F(RouteQueueTest, AClientThatLeavesBeforeItsTurnIsForgotten) {
  add_route("/");
  start("/").on_reset(kLeft);
  EXPECT_EQ(records.last.status, 499);
  start("/");
  pass(base::Duration::zero());
  ASSERT_EQ(upstreams.calls.size(), 1U);
  answer(200, "");
  EXPECT_EQ(done, 2);
}

TEST_F(RouteQueueTest, AnExchangeThatAnotherOneEndsIsForgotten) {
  add_route("/", [](RoutePlan& plan) { plan.backends.clear(); });
  start("/");
  victim = &start("/");
  start("/");
  pass(base::Duration::zero());
  EXPECT_EQ(done, 3);
  EXPECT_EQ(records.count, 3);
}

}  // namespace
}  // namespace weir::exchange
