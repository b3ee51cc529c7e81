// Balancing, health, retries and circuit limits of the real dataplane with real backends.

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <thread>

#include "common/base/text.h"
#include "common/crypto/digest.h"
#include "tests/push/stage.h"

namespace weir::push {
namespace {

using model::make_resource;

class PushBalancing : public testing::Test {
 protected:
  using Shares = std::map<std::string, int>;

  // Cluster "aa" with these settings and both backends, or with these endpoints.
  void push_cluster(const model::Cluster& cluster, std::vector<std::uint16_t> ports = {}) {
    if (ports.empty()) ports = {stage.aa.port(), stage.bb.port()};
    stage.must_push({make_resource(make_endpoints("aa", ports)), make_resource(cluster)});
  }
  void push_route(const std::function<void(model::Route&)>& edit) {
    model::Route route = make_route("root", "/", "aa");
    edit(route);
    stage.must_push({make_resource(route)});
  }
  Shares ask_many(int times, const std::string& target = "/", const std::string& fields = {}) {
    Shares out;
    Client client(stage.door());
    for (int i = 0; i < times; ++i) {
      const Answer answer = client.get(target, "a.test", fields);
      ++out[answer.status == 200 ? answer.server() : std::to_string(answer.status)];
    }
    return out;
  }
  std::string metrics() const {
    return push::get({.port = stage.dataplane.admin_port()}, "/metrics", "admin").body;
  }
  bool has_metric(const std::string& line) const {
    return metrics().find(line) != std::string::npos;
  }
  std::size_t logged(const std::string& text) const {
    const std::string log = stage.dataplane.access_log();
    std::size_t count = 0;
    for (std::size_t at = log.find(text); at != std::string::npos; at = log.find(text, at + 1)) {
      ++count;
    }
    return count;
  }
  // Answers of one request of any method.
  Answer ask(const std::string& method, const std::string& target, const std::string& body) {
    Client client(stage.door());
    client.send(method + " " + target + " HTTP/1.1\r\nHost: a.test\r\nContent-Length: " +
                std::to_string(body.size()) + "\r\n\r\n" + body);
    return client.read();
  }
  std::size_t deliveries() const { return stage.aa.served() + stage.bb.served(); }

  Stage stage;
};

TEST_F(PushBalancing, ASlowBackendGetsLessUnderLeastConnAndEwma) {
  for (const model::Balance policy : {model::Balance::kLeastConn, model::Balance::kEwma}) {
    model::Cluster cluster = make_cluster("aa");
    cluster.balance.policy = policy;
    push_cluster(cluster);
    stage.aa.behave({.later = Millis(120)});
    const std::size_t slow_before = stage.aa.served();
    const std::size_t fast_before = stage.bb.served();
    std::vector<std::thread> clients;
    for (int i = 0; i < 4; ++i) {
      clients.emplace_back([this] { ask_many(40); });
    }
    for (std::thread& one : clients) one.join();
    const std::size_t slow = stage.aa.served() - slow_before;
    const std::size_t fast = stage.bb.served() - fast_before;
    EXPECT_EQ(slow + fast, 160U);
    EXPECT_LT(slow * 2, fast) << "policy " << static_cast<int>(policy);
    stage.aa.behave({});
  }
}

TEST_F(PushBalancing, AnEndpointThatRefusesIsRememberedBetweenRequests) {
  model::Cluster cluster = make_cluster("aa");
  cluster.ejection.base = Millis(20'000);
  push_cluster(cluster, {free_port(), stage.aa.port()});
  EXPECT_EQ(ask_many(40), (Shares{{"aa", 40}}));
  EXPECT_TRUE(eventually([&] { return logged("\"attempts\":") == 40; }));
  EXPECT_EQ(logged("\"attempts\":2"), 1U);
  EXPECT_TRUE(has_metric("weir_upstream_ejections_total{cluster=\"aa\"} 1"));
  EXPECT_TRUE(has_metric("weir_upstream_retries_total{cluster=\"aa\"} 1"));
  EXPECT_TRUE(has_metric("weir_upstream_endpoints_out{cluster=\"aa\",why=\"ejected\"} 1"));
}

TEST_F(PushBalancing, AnEndpointWithErrorsGetsNothingForAWhileAndComesBack) {
  model::Cluster cluster = make_cluster("aa");
  cluster.ejection.errors = 3;
  cluster.ejection.base = Millis(3'000);
  push_cluster(cluster);
  stage.aa.behave({.status = 500});
  const Shares first = ask_many(20);
  EXPECT_EQ(first.at("500"), 3) << "three in a row, then it is out";
  EXPECT_EQ(first.at("bb"), 17);
  stage.aa.behave({});
  EXPECT_TRUE(eventually([&] { return ask_many(4).contains("aa"); })) << "it never came back";
  EXPECT_EQ(ask_many(20), (Shares{{"aa", 10}, {"bb", 10}}));
}

TEST_F(PushBalancing, WhenAllHaveErrorsAllAreAsked) {
  model::Cluster cluster = make_cluster("aa");
  cluster.ejection.errors = 1;
  cluster.ejection.max_percent = 100;
  cluster.ejection.base = Millis(60'000);
  push_cluster(cluster);
  stage.aa.behave({.status = 500});
  stage.bb.behave({.status = 500});
  EXPECT_EQ(ask_many(20), (Shares{{"500", 20}}));
  EXPECT_EQ(deliveries(), 20U);
  stage.aa.behave({});
  stage.bb.behave({});
  EXPECT_EQ(ask_many(20), (Shares{{"aa", 10}, {"bb", 10}}));
}

TEST_F(PushBalancing, ActiveChecksTakeAnEndpointOutAndBringItBack) {
  for (const model::CheckKind kind : {model::CheckKind::kHttp, model::CheckKind::kTcp}) {
    model::Cluster cluster = make_cluster("aa");
    cluster.health.kind = kind;
    cluster.health.path = "/healthz";
    cluster.health.interval = Millis(30);
    cluster.health.timeout = Millis(5'000);
    if (kind == model::CheckKind::kTcp) cluster.health.port = free_port();
    push_cluster(cluster);
    if (kind == model::CheckKind::kHttp) {
      stage.aa.behave({.status = 503});
      EXPECT_TRUE(eventually([&] { return ask_many(6) == Shares{{"bb", 6}}; }));
      EXPECT_TRUE(has_metric("weir_upstream_endpoints_out{cluster=\"aa\",why=\"check\"} 1"));
      stage.aa.behave({});
      EXPECT_TRUE(eventually([&] { return ask_many(6) == (Shares{{"aa", 3}, {"bb", 3}}); }));
      EXPECT_TRUE(has_metric("weir_upstream_checks_total{cluster=\"aa\",result=\"bad\"}"));
    } else {
      EXPECT_TRUE(eventually([&] {
        return has_metric("weir_upstream_endpoints_out{cluster=\"aa\",why=\"check\"} 2");
      })) << "nobody listens there";
      EXPECT_EQ(ask_many(6), (Shares{{"aa", 3}, {"bb", 3}})) << "all out: all count as in";
    }
  }
}

TEST_F(PushBalancing, ANewcomerStartsSlowly) {
  model::Cluster cluster = make_cluster("aa");
  cluster.balance.slow_start = Millis(600'000);
  push_cluster(cluster, {stage.aa.port()});
  EXPECT_EQ(ask_many(5), (Shares{{"aa", 5}}));
  push_cluster(cluster);
  const Shares shares = ask_many(110);
  EXPECT_NEAR(shares.at("bb"), 10, 2) << "a tenth of its share";
}

TEST_F(PushBalancing, AKeyLiesAtOneEndpointAndAnotherSetMovesFew) {
  for (const model::Balance policy : {model::Balance::kKetama, model::Balance::kMaglev}) {
    model::Cluster cluster = make_cluster("aa");
    cluster.balance.policy = policy;
    push_cluster(cluster);
    push_route([](model::Route& route) { route.hash_on = "$arg_user"; });
    std::map<std::string, std::string> homes;
    Shares shares;
    for (int user = 0; user < 40; ++user) {
      const std::string target = "/?user=" + std::to_string(user);
      homes[target] = stage.get(target).server();
      ++shares[homes[target]];
    }
    EXPECT_EQ(shares.size(), 2U);
    for (const auto& [target, home] : homes) EXPECT_EQ(stage.get(target).server(), home);
    // The other endpoint leaves: those keys move, and come back with it.
    push_cluster(cluster, {stage.aa.port()});
    for (const auto& [target, home] : homes) EXPECT_EQ(stage.get(target).server(), "aa");
    push_cluster(cluster);
    for (const auto& [target, home] : homes) EXPECT_EQ(stage.get(target).server(), home);
    EXPECT_EQ(ask_many(10), (Shares{{"aa", 5}, {"bb", 5}})) << "no key: they take turns";
  }
}

TEST_F(PushBalancing, AKeyThatCannotBeReadIsToldAndHashesNothing) {
  model::Route route = make_route("root", "/", "aa");
  route.hash_on = "$ssl_cipher";
  const Verdict verdict = stage.controller->push({make_resource(route)});
  EXPECT_TRUE(verdict.applied);
  EXPECT_NE(verdict.why(ResourceType::kRoute, "main/a.test/root").find("$ssl_cipher"),
            std::string::npos);
  EXPECT_EQ(stage.get("/").status, 200);
}

TEST_F(PushBalancing, ASessionStaysOverChangesOfTheSetAndARestart) {
  model::Cluster cluster = make_cluster("aa");
  cluster.ns = "shop";
  cluster.service = "cart";
  cluster.port = "80";
  for (const model::Balance mode : {model::Balance::kNamed, model::Balance::kKetama}) {
    cluster.balance.policy = mode;
    const auto setup = [&](Stage& at) {
      at.must_push({make_resource(make_endpoints("aa", {stage.aa.port(), stage.bb.port()})),
                    make_resource(cluster)});
      model::Route route = make_route("root", "/", "aa");
      route.cookie.emplace();
      at.must_push({make_resource(route)});
    };
    setup(stage);
    const Answer first = stage.get("/");
    const std::string set = first.field("Set-Cookie");
    ASSERT_TRUE(set.starts_with("INGRESSCOOKIE=")) << set;
    EXPECT_TRUE(set.ends_with("; Path=/; HttpOnly")) << set;
    const std::string cookie = "Cookie: " + set.substr(0, set.find(';')) + "\r\n";
    const std::string home = first.server();
    EXPECT_EQ(ask_many(10, "/", cookie), (Shares{{home, 10}}));
    EXPECT_EQ(stage.get("/", cookie).field("Set-Cookie"), "");
    // A dataplane that knows nothing of the one before.
    Stage other;
    setup(other);
    EXPECT_EQ(other.get("/", cookie).server(), home);
    if (mode != model::Balance::kNamed) continue;
    const Backend third("cc");
    push_cluster(cluster, {stage.aa.port(), stage.bb.port(), third.port()});
    EXPECT_EQ(ask_many(10, "/", cookie), (Shares{{home, 10}}));
    // Its endpoint leaves: a new session.
    push_cluster(cluster, {third.port()});
    const Answer moved = stage.get("/", cookie);
    EXPECT_EQ(moved.server(), "cc");
    EXPECT_NE(moved.field("Set-Cookie"), "");
  }
}

TEST_F(PushBalancing, ASessionLeavesAFailedEndpointOnlyWhenThatIsWanted) {
  model::Cluster cluster = make_cluster("aa");
  cluster.balance.policy = model::Balance::kNamed;
  push_cluster(cluster, {stage.aa.port()});
  const auto with_cookie = [&](bool change) {
    push_route([change](model::Route& route) {
      route.cookie.emplace();
      route.cookie->change_on_failure = change;
    });
  };
  with_cookie(false);
  const std::uint16_t dead = free_port();
  push_cluster(cluster, {dead});
  const std::string lost = stage.get("/").field("Set-Cookie");
  EXPECT_EQ(lost, "") << "no answer of a backend, no session";
  // A session at the dead port, made by hand: md5("--" + "127.0.0.1:port").
  const std::string name = "--127.0.0.1:" + std::to_string(dead);
  const std::string cookie = "Cookie: INGRESSCOOKIE=" + base::hex(crypto::md5(name)) + "|x\r\n";
  push_cluster(cluster, {dead, stage.bb.port()});
  EXPECT_EQ(stage.get("/", cookie).status, 502);
  with_cookie(true);
  const Answer moved = stage.get("/", cookie);
  EXPECT_EQ(moved.server(), "bb");
  EXPECT_NE(moved.field("Set-Cookie"), "");
}

TEST_F(PushBalancing, ACircuitLimitAnswers503AndIsCountedAndLogged) {
  model::Cluster cluster = make_cluster("aa");
  cluster.limits.max_requests = 1;
  push_cluster(cluster, {stage.aa.port()});
  {
    Client slow(stage.door());
    slow.send("GET /slow/2000 HTTP/1.1\r\nHost: a.test\r\n\r\n");
    EXPECT_TRUE(eventually([&] { return stage.aa.served() == 1; }));
    EXPECT_EQ(stage.get("/").status, 503);
  }
  EXPECT_TRUE(eventually([&] { return stage.get("/").status == 200; })) << "room again";
  EXPECT_TRUE(has_metric("weir_upstream_overflow_total{cluster=\"aa\",limit=\"requests\"}"));
  EXPECT_TRUE(eventually([&] { return logged("circuit limit: requests in flight") > 0; }));

  cluster.limits = {};
  cluster.limits.max_connections = 1;
  push_cluster(cluster, {stage.aa.port()});
  {
    Client slow(stage.door());
    const std::size_t before = stage.aa.served();
    slow.send("GET /slow/2000 HTTP/1.1\r\nHost: a.test\r\n\r\n");
    EXPECT_TRUE(eventually([&] { return stage.aa.served() == before + 1; }));
    EXPECT_EQ(stage.get("/").status, 503);
  }
  EXPECT_TRUE(eventually([&] { return stage.get("/").status == 200; }));
  EXPECT_EQ(ask_many(5), (Shares{{"aa", 5}})) << "on the one connection";
  EXPECT_TRUE(has_metric("weir_upstream_overflow_total{cluster=\"aa\",limit=\"connections\"}"));
}

// A backend that accepts, reads the whole request and closes without a word counts deliveries.
TEST_F(PushBalancing, ARequestThatIsNotIdempotentIsDeliveredOnceWhateverTheRouteSays) {
  using Edit = std::function<void(model::Route&, model::Cluster&)>;
  const std::vector<std::pair<std::string, Edit>> cases = {
      {"defaults", [](model::Route&, model::Cluster&) {}},
      {"hash",
       [](model::Route& route, model::Cluster& cluster) {
         route.hash_on = "$remote_addr";
         cluster.balance.policy = model::Balance::kMaglev;
       }},
      {"session",
       [](model::Route& route, model::Cluster& cluster) {
         route.cookie.emplace();
         route.cookie->change_on_failure = true;
         cluster.balance.policy = model::Balance::kKetama;
       }},
      {"least_conn", [](model::Route&, model::Cluster& cluster) {
         cluster.balance.policy = model::Balance::kLeastConn;
       }}};
  for (const auto& [name, edit] : cases) {
    SCOPED_TRACE(name);
    model::Cluster cluster = make_cluster("aa");
    model::Route route = make_route("root", "/", "aa");
    route.retry = {
        .tries = 5, .on_error = true, .on_timeout = true, .on_invalid = true, .statuses = {503}};
    route.retry.per_try = Millis(2'000);
    edit(route, cluster);
    push_cluster(cluster);
    stage.must_push({make_resource(route)});
    // Pooled connections that are there, as well as new ones.
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(ask("POST", "/", "warm").status, 200);
      const std::size_t before = deliveries();
      EXPECT_EQ(ask("POST", "/cut", "x").status, 502);
      EXPECT_EQ(ask("PATCH", "/cut", "x").status, 502);
      EXPECT_EQ(deliveries() - before, 2U);
    }
    stage.aa.behave({.status = 503});
    stage.bb.behave({.status = 503});
    const std::size_t before = deliveries();
    EXPECT_EQ(ask("POST", "/", "x").status, 503);
    EXPECT_EQ(deliveries() - before, 1U);
    stage.aa.behave({});
    stage.bb.behave({});
    EXPECT_EQ(ask("POST", "/never", "x").status, 504) << "per try, and no other try";
    EXPECT_EQ(deliveries() - before, 2U);
    const std::size_t more = deliveries();
    EXPECT_EQ(ask("PUT", "/cut", "x").status, 502);
    EXPECT_EQ(deliveries() - more, 5U) << "an idempotent one is tried as often as it may";
  }
}

TEST_F(PushBalancing, WhatTheOwnerAsksForIsDeliveredAgain) {
  push_cluster(make_cluster("aa"));
  push_route([](model::Route& route) {
    route.retry = {.tries = 2, .on_error = true, .non_idempotent = true};
  });
  const std::size_t before = deliveries();
  EXPECT_EQ(ask("POST", "/cut", "x").status, 502);
  EXPECT_EQ(deliveries() - before, 2U);
}

TEST_F(PushBalancing, AStatusIsTriedAgainAtAnotherEndpoint) {
  push_cluster(make_cluster("aa"));
  push_route([](model::Route& route) { route.retry.statuses = {500, 503}; });
  stage.aa.behave({.status = 503});
  EXPECT_EQ(ask_many(10), (Shares{{"bb", 10}}));
  // A second try takes a turn too, so that more than every other request may begin at aa.
  const std::size_t failed = stage.aa.served();
  EXPECT_GE(failed, 5U);
  EXPECT_TRUE(eventually([&] { return logged("\"attempts\":2") == failed; })) << failed;
}

TEST(PushZones, TheOwnZoneServesAndSpillsOver) {
  Stage stage({.args = {"--zone", "z1"}});
  model::Cluster cluster = make_cluster("aa");
  cluster.balance.prefer_zone = true;
  model::Endpoints endpoints = make_endpoints("aa", {stage.aa.port(), stage.bb.port()});
  std::map<std::string, int> shares;
  const auto ask_ten = [&] {
    shares.clear();
    for (int i = 0; i < 10; ++i) ++shares[stage.get("/").server()];
    return shares;
  };
  for (model::Endpoint& one : endpoints.endpoints) {
    one.zone = one.port == stage.aa.port() ? "z1" : "z2";
  }
  stage.must_push({make_resource(endpoints), make_resource(cluster)});
  EXPECT_EQ(ask_ten(), (std::map<std::string, int>{{"aa", 10}}));
  // The own zone's endpoint is not well.
  cluster.health.kind = model::CheckKind::kHttp;
  cluster.health.interval = Millis(30);
  stage.must_push({make_resource(cluster)});
  stage.aa.behave({.status = 503});
  EXPECT_TRUE(eventually([&] { return ask_ten() == std::map<std::string, int>{{"bb", 10}}; }));
}

}  // namespace
}  // namespace weir::push
