// What an exchange bears: slow bodies, slow readers, and a process that is short of memory.

#include "tests/unit/dataplane/exchange/exchange_fixture.h"

namespace weir::exchange {
namespace {

using codec::BodyLength;
using namespace std::chrono_literals;

class DefenceTest : public ExchangeTest {
 protected:
  DefenceTest() {
    next_->settings.rate_window = 1s;
    next_->settings.min_body_rate = 100;
    next_->settings.min_drain_rate = 1'000;
    add_route("/", [](RoutePlan&) {});
  }
  codec::MessageTarget& upload(
      const std::vector<std::pair<std::string, std::string>>& fields = {}) {
    return begin(head("POST", "/", fields), BodyLength::known(1'000'000));
  }
  void give(codec::MessageTarget& request, std::size_t bytes) {
    request.on_data(worker::Slice::borrowed(std::string(bytes, 'b')));
  }
  int status() const { return client.copy == nullptr ? 0 : client.copy->status(); }
  // A response whose client has 300,000 bytes waiting.
  void stall() {
    get("/");
    call().response->on_head(response(200), BodyLength::known(1'000'000));
    client.queue = 300'000;
    call().response->on_data(worker::Slice::borrowed("more"));
    ASSERT_TRUE(call().stream->paused);
    pass(1'100ms);  // looks closer
  }
  void short_of_memory(std::int64_t percent) {
    process.set_limit(1'000'000);
    process.add(percent * 10'000 - static_cast<std::int64_t>(process.used()));
    process.pressure().settle(process.used());
  }
};

TEST_F(DefenceTest, ABodyBelowTheMinimumRateIs408) {
  codec::MessageTarget& request = upload();
  for (int second = 0; second < 3; ++second) {
    give(request, 150);
    pass(1'010ms);
    ASSERT_EQ(status(), 0) << second;
  }
  give(request, 20);
  pass(1'010ms);
  EXPECT_EQ(status(), 408);
}

TEST_F(DefenceTest, ABodyThatWasNotInvitedIsNotLate) {
  codec::MessageTarget& request = upload({{"Expect", "100-continue"}});
  pass(1'010ms);
  pass(1'010ms);
  EXPECT_EQ(status(), 0);
  call().response->on_interim(response(100));
  pass(1'010ms);
  EXPECT_EQ(status(), 408);
  (void)request;
}

TEST_F(DefenceTest, ABodyBehindTheStartOfTheAnswerHasNoMinimum) {
  codec::MessageTarget& request = upload();
  call().response->on_head(response(200), BodyLength::unknown());
  pass(1'010ms);
  pass(1'010ms);
  EXPECT_EQ(client.was_reset, "");
  request.on_reset({base::ErrorKind::kClosed, base::Origin::kClient, false, "gone"});
}

TEST_F(DefenceTest, AClientThatTakesTooLittleIsGivenUp) {
  stall();
  client.queue -= 70'000;  // 60 s at more than the minimum
  pass(61s);
  EXPECT_EQ(client.was_reset, "");
  client.queue -= 1'000;
  pass(61s);
  EXPECT_EQ(client.was_reset, "the client was too slow");
}

TEST_F(DefenceTest, FromLevelThreeRequestsAre503AndNoUpstreamIsAsked) {
  short_of_memory(96);
  get("/");
  EXPECT_EQ(status(), 503);
  EXPECT_TRUE(upstreams.calls.empty());
  EXPECT_EQ(process.pressure().counted(base::PressureAction::kRefused), 1U);
  short_of_memory(0);
}

TEST_F(DefenceTest, FromLevelOneABodyWaitsUntilMemoryComesBack) {
  short_of_memory(82);
  codec::MessageTarget& request = upload();
  EXPECT_TRUE(upstreams.calls.empty());
  EXPECT_TRUE(client.paused);
  pass(60ms);
  EXPECT_TRUE(upstreams.calls.empty());
  short_of_memory(10);
  pass(60ms);
  EXPECT_EQ(upstreams.calls.size(), 1U);
  EXPECT_FALSE(client.paused);
  request.on_reset({base::ErrorKind::kClosed, base::Origin::kClient, false, "gone"});
  short_of_memory(0);
}

TEST_F(DefenceTest, WhereMemoryDoesNotComeBackAFewBodiesGoOnAtATime) {
  BodyDoor& door = context.local.bodies;
  std::vector<BodyDoor::Pass> others;
  for (int i = 0; i < BodyDoor::kMost - 1; ++i) others.push_back(door.enter());
  short_of_memory(92);
  codec::MessageTarget& request = upload();
  for (int i = 0; i < 16; ++i) pass(60ms);
  EXPECT_TRUE(upstreams.calls.empty()) << "memory had no second to come back";
  for (int i = 0; i < 2; ++i) pass(60ms);
  ASSERT_EQ(upstreams.calls.size(), 1U);
  EXPECT_FALSE(client.paused);
  EXPECT_FALSE(door.enter()) << "all are in use";
  request.on_end();
  EXPECT_TRUE(door.enter());
  request.on_reset({base::ErrorKind::kClosed, base::Origin::kClient, false, "gone"});
  short_of_memory(0);
}

TEST_F(DefenceTest, AHeldBodyIsNotBlamedForTimeInWhichTheProcessStoodStill) {
  short_of_memory(82);
  codec::MessageTarget& request = upload();
  pass(60ms);
  pass(30s);
  EXPECT_EQ(upstreams.calls.size(), 1U);
  EXPECT_EQ(status(), 0);
  request.on_reset({base::ErrorKind::kClosed, base::Origin::kClient, false, "gone"});
  short_of_memory(0);
}

TEST_F(DefenceTest, ARequestThatWaitedWhileItsRouteMovedIsNotLost) {
  short_of_memory(82);
  codec::MessageTarget& request = upload();
  pass(60ms);
  publish({"cart"});
  short_of_memory(10);
  pass(60ms);
  ASSERT_EQ(upstreams.calls.size(), 1U);
  EXPECT_EQ(call().cluster, "shop") << "the endpoints of then";
  EXPECT_EQ(upstreams.removed, 1) << "nothing of it stays behind";
  request.on_end();
  answer(200, "ok");
  EXPECT_EQ(status(), 200);
  EXPECT_EQ(done, 1);
  short_of_memory(0);
}

TEST_F(DefenceTest, FromLevelThreeNoHeldBodyGoesOn) {
  short_of_memory(82);
  upload();
  short_of_memory(96);
  for (int i = 0; i < 200 && done == 0; ++i) pass(60ms);
  EXPECT_EQ(status(), 503);
  EXPECT_TRUE(upstreams.calls.empty());
  short_of_memory(0);
}

TEST_F(DefenceTest, ABodyDoesNotWaitForEverAndASmallOneNotAtAll) {
  std::vector<BodyDoor::Pass> others;
  for (int i = 0; i < BodyDoor::kMost; ++i) others.push_back(context.local.bodies.enter());
  short_of_memory(82);
  upload();
  for (int i = 0; i < 200 && done == 0; ++i) pass(60ms);
  EXPECT_EQ(status(), 503);
  client = ScriptedStream();
  begin(head("POST", "/"), BodyLength::known(1'000))
      .on_reset({base::ErrorKind::kClosed, base::Origin::kClient, false, "gone"});
  EXPECT_EQ(upstreams.calls.size(), 1U);
  short_of_memory(0);
}

}  // namespace
}  // namespace weir::exchange
