#include "tests/unit/dataplane/upstream/upstream_fixture.h"

namespace weir::upstream {
namespace {

using namespace std::chrono_literals;

TEST_F(UpstreamTest, AConnectionIsKeptAndUsedAgain) {
  exchange();
  EXPECT_EQ(upstreams.idle_connections(), 1u);
  Request second;
  start(second);
  EXPECT_TRUE(second.ready);
  EXPECT_TRUE(second.attempt->reused());
  EXPECT_EQ(transports.size(), 1u);
  EXPECT_EQ(upstreams.idle_connections(), 0u);
  EXPECT_EQ(upstreams.open_connections(), 1u);
}

TEST_F(UpstreamTest, TheMostRecentlyUsedConnectionIsTakenFirst) {
  Request one, two;
  start(one);
  start(two);
  say("1 head:200\n1 end\n", 0);
  settle(1ms);
  say("1 head:200\n1 end\n", 1);
  EXPECT_EQ(upstreams.idle_connections(), 2u);
  Request three;
  start(three);
  EXPECT_NE(transports[1]->written.find("2 head"), std::string::npos);
}

TEST_F(UpstreamTest, NeedsDecideWhatMayBeReused) {
  struct Case {
    std::string_view name;
    AttemptNeeds needs;
    base::Duration idle;
    bool reused;
  };
  for (const Case& c : {Case{"any", {}, 30s, true}, Case{"fresh", {.fresh = true}, 0s, false},
                        Case{"POST on a warm one", {.idempotent = false}, 900ms, true},
                        Case{"POST on a cool one", {.idempotent = false}, 1s, false}}) {
    SCOPED_TRACE(c.name);
    exchange({.fresh = true});
    settle(c.idle);
    Request request;
    start(request, c.needs);
    EXPECT_EQ(request.attempt->reused(), c.reused);
    request.attempt.reset();
    set_endpoints({});
    set_endpoints({"a:1"});
    settle();
  }
}

TEST_F(UpstreamTest, IdleConnectionsEndByTimeByNumberAndByThePeer) {
  cluster.settings.max_idle = 1;
  cluster.settings.idle_timeout = 10s;
  set_endpoints({"a:1"});
  Request one, two;
  start(one);
  start(two);
  say("1 head:200\n1 end\n", 0);
  say("1 head:200\n1 end\n", 1);
  settle();
  EXPECT_EQ(upstreams.idle_connections(), 1u);  // the older one had to go
  EXPECT_EQ(transports.size(), 1u);
  settle(9s);
  EXPECT_EQ(upstreams.idle_connections(), 1u);
  settle(2s);
  settle();
  EXPECT_EQ(upstreams.open_connections(), 0u);

  exchange();
  transports[0]->target->on_read_closed();
  settle();
  EXPECT_EQ(upstreams.open_connections(), 0u);
  exchange();
  transports[0]->target->on_closed({base::ErrorKind::kClosed, base::Origin::kUpstream, false, "x"});
  settle();
  EXPECT_EQ(upstreams.open_connections(), 0u);
  EXPECT_TRUE(transports.empty());
}

TEST_F(UpstreamTest, ARemovedEndpointClosesWhatIsIdleAndFinishesWhatRuns) {
  Request running;
  start(running);
  exchange({.fresh = true});
  EXPECT_EQ(upstreams.idle_connections(), 1u);
  set_endpoints({"b:1"});
  settle();
  EXPECT_EQ(upstreams.idle_connections(), 0u);
  EXPECT_EQ(upstreams.open_connections(), 1u);
  say("1 head:200\n1 data:x\n1 end\n");
  EXPECT_EQ(running.got, "200 x|");
  settle();
  EXPECT_EQ(upstreams.open_connections(), 0u);
  exchange();
  EXPECT_EQ(upstreams.idle_connections(), 1u);
  upstreams.on_cluster_removed(0);
  settle();
  EXPECT_EQ(upstreams.open_connections(), 0u);
}

TEST_F(UpstreamTest, AnAttemptThatBeganAsItsClusterWentIsFinished) {
  Request late;
  pick_and_start(late);  // still connecting
  upstreams.on_cluster_removed(0);
  settle();
  EXPECT_EQ(upstreams.open_connections(), 1u);
  transports[0]->target->on_open();
  ASSERT_NE(late.attempt, nullptr);
  EXPECT_EQ(late.failed, "");
  late.attempt.reset();
  settle();
  EXPECT_EQ(upstreams.open_connections(), 0u);
}

TEST_F(UpstreamTest, AKeptEndpointKeepsItsConnections) {
  exchange();
  for (int i = 0; i < 100; ++i) {
    set_endpoints(i % 2 == 0 ? std::vector<std::string>{"a:1", "b:1"}
                             : std::vector<std::string>{"a:1"});
  }
  settle();
  EXPECT_EQ(upstreams.idle_connections(), 1u);
}

TEST_F(UpstreamTest, AFailedConnectIsRetryableAndNamesTheEndpoint) {
  Request request;
  pick_and_start(request);
  transports[0]->target->on_closed(
      {base::ErrorKind::kTimeout, base::Origin::kUpstream, false, "timed out"});
  EXPECT_EQ(request.failed, "connect a:1: timed out");
  EXPECT_TRUE(request.retryable);
  EXPECT_EQ(request.attempt->endpoint().id, "a:1");
  settle();
  EXPECT_EQ(upstreams.open_connections(), 0u);
}

TEST_F(UpstreamTest, GivingUpWhileConnectingOrInFlightClosesTheConnection) {
  Request connecting;
  pick_and_start(connecting);
  connecting.attempt.reset();
  settle();
  EXPECT_EQ(upstreams.open_connections(), 0u);
  Request running;
  start(running);
  running.attempt.reset();
  EXPECT_NE(transports[0]->written.find("1 reset"), std::string::npos);
}

TEST_F(UpstreamTest, NoEndpointAndNoCodecAreTold) {
  set_endpoints({});
  Request none;
  pick_and_start(none);
  EXPECT_EQ(none.attempt, nullptr);
  EXPECT_EQ(none.use.refusal(), Refusal::kNoEndpoint);
  cluster.settings.protocol = model::UpstreamProtocol::kHttp2;
  set_endpoints({"a:1"});
  Request unspoken;
  pick_and_start(unspoken);
  EXPECT_NE(unspoken.failed.find("no client codec"), std::string::npos);
}

TEST_F(UpstreamTest, AMultiplexedConnectionCarriesSeveralExchanges) {
  room = 3;
  Request one, two, three, four;
  start(one);
  start(two);
  start(three);
  EXPECT_EQ(transports.size(), 1u);
  EXPECT_EQ(transports[0]->written, "1 head\n2 head\n3 head\n");
  start(four);  // no room: a second connection
  EXPECT_EQ(transports.size(), 2u);
  say("2 head:200\n1 head:201\n2 data:two\n3 reset\n1 data:one\n2 end\n1 end\n");
  EXPECT_EQ(one.got, "201 one|");
  EXPECT_EQ(two.got, "200 two|");
  EXPECT_EQ(three.got, "!reset");
  EXPECT_EQ(upstreams.idle_connections(), 1u);
  EXPECT_EQ(upstreams.open_connections(), 2u);
}

TEST_F(UpstreamTest, ALostConnectionResetsAllOfItsExchanges) {
  room = 2;
  Request one, two;
  start(one);
  start(two);
  transports[0]->target->on_closed(
      {base::ErrorKind::kClosed, base::Origin::kUpstream, false, "lost"});
  EXPECT_EQ(one.got, "!lost");
  EXPECT_EQ(two.got, "!lost");
  settle();
  EXPECT_EQ(upstreams.open_connections(), 0u);
}

}  // namespace
}  // namespace weir::upstream
