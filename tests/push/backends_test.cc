// What a route and its clusters say about backends: shares, timeouts, retries, labels, pools.

#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "tests/push/stage.h"

namespace weir::push {
namespace {

using model::make_resource;

class PushBackends : public testing::Test {
 protected:
  // Pushes a route "r" at /r.
  void push_route(const model::Route& route) { stage.must_push({make_resource(route)}); }
  std::map<std::string, int> ask_many(const std::string& target, int times) {
    std::map<std::string, int> out;
    Client client(stage.door());
    for (int i = 0; i < times; ++i) {
      const Answer answer = client.get(target, "a.test");
      ++out[answer.status == 200 ? answer.server() : std::to_string(answer.status)];
    }
    return out;
  }
  using Shares = std::map<std::string, int>;
  Stage stage;
};

TEST_F(PushBackends, WeightsGiveExactShares) {
  model::Route route = make_route("r", "/", "aa");
  route.backends = {{"aa", 7, false, "", {}}, {"bb", 3, false, "", {}}};
  route.id = "root";
  push_route(route);
  EXPECT_EQ(ask_many("/", 1'000), (Shares{{"aa", 700}, {"bb", 300}}));
  route.backends[1].weight = 0;
  push_route(route);
  EXPECT_EQ(ask_many("/", 50), (Shares{{"aa", 50}}));
  route.backends[0].weight = 0;
  push_route(route);
  EXPECT_EQ(ask_many("/", 3), (Shares{{"500", 3}}));
}

TEST_F(PushBackends, AnInvalidBackendsShareAnswers500) {
  model::Route route = make_route("root", "/", "aa");
  route.backends = {{"aa", 3, false, "", {}}, {"nowhere", 1, true, "no such Service", {}}};
  push_route(route);
  EXPECT_EQ(ask_many("/", 1'000), (Shares{{"aa", 750}, {"500", 250}}));
  EXPECT_TRUE(eventually([&] {
    return stage.dataplane.access_log().find("\"error\":\"no such Service\"") != std::string::npos;
  })) << "the log says why";
}

TEST_F(PushBackends, AnEndpointGetsRequestsByItsWeight) {
  model::Endpoints endpoints = make_endpoints("aa", {stage.aa.port(), stage.bb.port()});
  endpoints.endpoints[0].weight = 4;
  stage.must_push({make_resource(endpoints)});
  EXPECT_EQ(ask_many("/", 100), (Shares{{"aa", 80}, {"bb", 20}}));
  endpoints.endpoints[0].weight = 0;
  stage.must_push({make_resource(endpoints)});
  EXPECT_EQ(ask_many("/", 20), (Shares{{"bb", 20}}));
  stage.must_push({make_resource(make_endpoints("aa", {}))});
  EXPECT_EQ(ask_many("/", 2), (Shares{{"503", 2}}));
}

TEST_F(PushBackends, TheReadTimeoutEndsASilentUpstream) {
  model::Route route = make_route("root", "/", "aa");
  EXPECT_EQ(stage.get("/slow/400").status, 200);
  route.timeouts.read = Millis(700);
  push_route(route);
  EXPECT_EQ(stage.get("/slow/5000").status, 504);
  const Answer cut = stage.get("/gap/5000");
  EXPECT_EQ(cut.status, 0) << "a gap inside of the body cuts the answer: " << cut.head;
}

TEST_F(PushBackends, TheRequestTimeoutLimitsTheWhole) {
  model::Route route = make_route("root", "/", "aa");
  route.timeouts.request = Millis(900);
  push_route(route);
  const Clock::time_point start = Clock::now();
  EXPECT_EQ(stage.get("/slow/5000").status, 504);
  EXPECT_LT(Clock::now() - start, Millis(4'000));
  EXPECT_EQ(stage.get("/").status, 200);
}

TEST_F(PushBackends, TheSendTimeoutEndsAnUpstreamThatTakesNothing) {
  model::Route route = make_route("root", "/", "aa");
  route.timeouts.send = Millis(200);
  push_route(route);
  stage.aa.hold(true);
  Client client(stage.door());
  const std::string head = "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 30000000\r\n\r\n";
  const Clock::time_point start = Clock::now();
  client.send(head + std::string(30'000'000, 'x'));
  EXPECT_EQ(client.read().status, 504);
  EXPECT_LT(Clock::now() - start, Millis(15'000));
}

// A port that refuses: connecting may be tried elsewhere, as often as the route says.
TEST_F(PushBackends, TriesSayHowManyEndpointsARequestMayMeet) {
  model::Route route = make_route("root", "/", "aa");
  model::Cluster cluster = make_cluster("aa");
  cluster.ejection.connect_failures = 0;
  stage.must_push({make_resource(make_endpoints("aa", {free_port(), stage.aa.port()})),
                   make_resource(cluster)});
  EXPECT_EQ(ask_many("/", 20), (Shares{{"aa", 20}}));
  route.retry.tries = 1;
  push_route(route);
  EXPECT_EQ(ask_many("/", 20), (Shares{{"aa", 10}, {"502", 10}}));
}

TEST_F(PushBackends, LabelsNameTheRouteInLogAndMetrics) {
  model::Route route = make_route("root", "/", "aa");
  route.labels = {"shop", "cart", "cart-service", "/label"};
  push_route(route);
  ASSERT_EQ(stage.get("/labelled").status, 200);
  std::string line;
  ASSERT_TRUE(eventually([&] {
    std::istringstream lines(stage.dataplane.access_log());
    for (std::string one; std::getline(lines, one);) {
      if (one.find("\"/labelled\"") != std::string::npos) line = one;
    }
    return !line.empty();
  }));
  for (const char* want :
       {"\"namespace\":\"shop\"", "\"ingress\":\"cart\"", "\"service\":\"cart-service\""}) {
    EXPECT_NE(line.find(want), std::string::npos) << want << " in " << line;
  }
  const std::string metrics =
      get({.port = stage.dataplane.admin_port()}, "/metrics", "localhost").body;
  for (const char* want :
       {"namespace=\"shop\"", "ingress=\"cart\"", "service=\"cart-service\"", "path=\"/label\""}) {
    EXPECT_NE(metrics.find(want), std::string::npos) << want;
  }
}

// The backlog of this socket is full: the kernel answers nobody any more.
TEST_F(PushBackends, TheConnectTimeoutGivesUpAnEndpoint) {
  model::Cluster cluster = make_cluster("aa");
  cluster.connect_timeout = Millis(200);
  model::Route route = make_route("root", "/", "aa");
  route.retry.tries = 1;
  // TEST-NET-1 (RFC 5737): nobody answers, or the network says so at once.
  model::Endpoints nobody = make_endpoints("aa", {});
  nobody.endpoints = {{"192.0.2.1:80", "192.0.2.1", 80, 1, ""}};
  stage.must_push({make_resource(cluster), make_resource(route), make_resource(nobody)});
  const Clock::time_point start = Clock::now();
  const int status = stage.get("/").status;
  EXPECT_TRUE(status == 504 || status == 502) << status;
  EXPECT_LT(Clock::now() - start, Millis(3'000)) << "the default is 5 s";
}

TEST_F(PushBackends, TheIdleTimeoutClosesPooledConnections) {
  ASSERT_EQ(ask_many("/", 5), (Shares{{"aa", 5}}));
  EXPECT_EQ(stage.aa.accepted(), 1U);
  nap(Millis(400));
  EXPECT_EQ(stage.aa.open(), 1U);
  model::Cluster cluster = make_cluster("aa");
  cluster.idle_timeout = Millis(100);
  stage.must_push({make_resource(cluster)});
  ASSERT_EQ(stage.get("/").status, 200);
  EXPECT_TRUE(eventually([&] { return stage.aa.open() == 0; }, Millis(5'000)));
}

TEST_F(PushBackends, MaxIdleLimitsThePool) {
  const auto burst = [&] {
    std::vector<Client> clients;
    for (int i = 0; i < 8; ++i) {
      clients.emplace_back(stage.door());
      clients.back().send("GET /slow/400 HTTP/1.1\r\nHost: a.test\r\n\r\n");
    }
    for (Client& client : clients) EXPECT_EQ(client.read().status, 200);
    return stage.aa.open();
  };
  EXPECT_GT(burst(), 2U);
  model::Cluster cluster = make_cluster("aa");
  cluster.max_idle = 2;
  stage.must_push({make_resource(cluster)});
  burst();
  EXPECT_TRUE(eventually([&] { return stage.aa.open() <= 2; }, Millis(5'000)));
}

}  // namespace
}  // namespace weir::push
