// Balancing, sessions, checks and retries as an Ingress asks for them, with both programs.

#include <gtest/gtest.h>

#include <set>

#include "tests/scenario/harness/stage.h"

namespace weir::scenario {
namespace {

using Annotations = std::map<std::string, std::string>;

// An Ingress "a" of host a.test with these annotations.
std::string ingress_with(const Annotations& annotations) {
  return ingress({.name = "a",
                  .rules = {{.host = "a.test", .paths = {{.service = "a"}}}},
                  .annotations = annotations});
}

std::string cookie_of(const Answer& answer) {
  const std::string set(answer.message.find("Set-Cookie"));
  return set.substr(0, set.find(';'));
}

TEST(Balancing, AHashedArgumentStaysAtItsEndpointWhileOthersComeAndGo) {
  Stage stage;
  stage.serve("a", {"a-0", "a-1", "a-2"});
  stage.files["ingress.yaml"] = ingress_with({{"upstream-hash-by", "$arg_user"}});
  Weir weir(stage.files);
  ASSERT_TRUE(weir.ready());
  Client client(weir.http());
  std::map<std::string, std::string> homes;
  std::set<std::string> seen;
  for (int user = 0; user < 30; ++user) {
    const std::string target = "/?user=" + std::to_string(user);
    homes[target] = client.ask({.target = target}).backend();
    seen.insert(homes[target]);
  }
  EXPECT_EQ(seen.size(), 3U);
  for (const auto& [target, home] : homes) {
    EXPECT_EQ(client.ask({.target = target}).backend(), home) << target;
  }
}

TEST(Balancing, ASessionIsKeptOverAFreshStartOfEverything) {
  Stage stage;
  stage.serve("a", {"a-0", "a-1", "a-2"});
  std::map<std::string, std::string> homes;  // by cookie
  for (const char* mode : {"balanced", "persistent"}) {
    stage.files["ingress.yaml"] = ingress_with({{"affinity", "cookie"},
                                                {"affinity-mode", mode},
                                                {"session-cookie-name", "route"},
                                                {"session-cookie-max-age", "600"}});
    homes.clear();
    for (int start = 0; start < 2; ++start) {
      Weir weir(stage.files);
      ASSERT_TRUE(weir.ready());
      for (int i = 0; start == 0 && i < 6; ++i) {
        const Answer first = ask_once(weir.http(), {});
        ASSERT_EQ(first.status, 200) << first.to_string();
        EXPECT_NE(first.message.find("Set-Cookie").find("; Max-Age=600; Path=/; HttpOnly"),
                  std::string_view::npos)
            << first.to_string();
        homes[cookie_of(first)] = first.backend();
      }
      for (const auto& [cookie, home] : homes) {
        const Answer again = ask_once(weir.http(), {.fields = {{"Cookie", cookie}}});
        EXPECT_EQ(again.backend(), home) << mode << " " << cookie;
        EXPECT_FALSE(again.message.has("Set-Cookie"));
      }
    }
  }
}

TEST(Balancing, Row23AllUnhealthyIsServedAndTheHealthyOneGetsAll) {
  Stage stage;
  stage.serve("a", {"a-0", "a-1"});
  stage.ports["dead"] = port_of(listen_on_loopback(0).get());
  stage.files["service-a.yaml"] = stage.service_of("a", {"a-0", "dead"});
  stage.files["ingress.yaml"] =
      ingress_with({{"proxy-next-upstream", "error timeout"}, {"proxy-connect-timeout", "2"}});
  Weir weir(stage.files, {.workers = 1});
  ASSERT_TRUE(weir.ready());
  Client client(weir.http());
  for (int i = 0; i < 40; ++i) {
    const Answer answer = client.ask({.method = i % 2 == 0 ? "GET" : "POST", .body = "x"});
    ASSERT_EQ(answer.status, 200) << answer.to_string();
    ASSERT_EQ(answer.backend(), "a-0");
  }
}

struct Case {
  std::string name;
  Annotations annotations;
};

std::vector<Case> hostile_cases() {
  const std::string all = "error timeout invalid_header http_500 http_502 http_503 http_504";
  return {{"default", {}},
          {"everything is retried", {{"proxy-next-upstream", all}}},
          {"least_conn", {{"proxy-next-upstream", all}, {"load-balance", "least_conn"}}},
          {"ewma", {{"proxy-next-upstream", all}, {"load-balance", "ewma"}}},
          {"hash", {{"proxy-next-upstream", all}, {"upstream-hash-by", "$remote_addr"}}},
          {"session",
           {{"proxy-next-upstream", all},
            {"affinity", "cookie"},
            {"session-cookie-change-on-failure", "true"}}}};
}

// The recorder counts what arrives whole. A backend reads the request and resets; answers with a
// status that is to be retried; closes pooled connections in the moment of their use.
TEST(Balancing, Row24NoPostIsDeliveredTwiceByAnySetting) {
  for (const Case& c : hostile_cases()) {
    SCOPED_TRACE(c.name);
    Stage stage;
    stage.serve("a", {"a-0", "a-1", "a-2"});
    stage.files["ingress.yaml"] = ingress_with(c.annotations);
    Weir weir(stage.files);
    ASSERT_TRUE(weir.ready());
    int number = 0;
    const auto post = [&](const std::string& what) {
      const std::string probe = std::to_string(number++);
      const Answer answer = ask_once(
          weir.http(),
          {.method = "POST", .fields = {{"X-Do", what}, {"X-Probe", probe}}, .body = "payload"});
      EXPECT_LE(stage.backends.deliveries(probe), 1) << what << ": " << answer.to_string();
      return answer.status;
    };
    for (int i = 0; i < 6; ++i) {
      EXPECT_EQ(post("reset"), 502);
      EXPECT_EQ(post("status:503"), 503);
      EXPECT_EQ(post("close"), 200);
    }
    stage.backends.set_idle_limit(Millis(15));
    for (int i = 0; i < 40 / kSlowness; ++i) {
      post("close");
      EXPECT_NE(post("delay:1"), 0);
      nap(Millis(10 + i % 10));
    }
  }
}

TEST(Balancing, AnIdempotentRequestIsTriedAgainWhereTheOwnerAsksForIt) {
  Stage stage;
  stage.serve("a", {"a-0", "a-1"});
  stage.files["ingress.yaml"] =
      ingress_with({{"proxy-next-upstream", "error http_503"}, {"proxy-next-upstream-tries", "4"}});
  Weir weir(stage.files);
  ASSERT_TRUE(weir.ready());
  const Answer answer =
      ask_once(weir.http(), {.fields = {{"X-Do", "status:503"}, {"X-Probe", "again"}}});
  EXPECT_EQ(answer.status, 503);
  EXPECT_FALSE(answer.made_by_proxy()) << "the last answer is the backend's own";
  EXPECT_EQ(stage.backends.deliveries("again"), 4);
}

TEST(Balancing, ALimitOfABackendAnswers503) {
  Stage stage;
  stage.serve("a", {"a-0"});
  stage.files["ingress.yaml"] = ingress({.name = "a",
                                         .rules = {{.host = "a.test", .paths = {{.service = "a"}}}},
                                         .annotations = {{"max-requests", "1"}}});
  Weir weir(stage.files, {.workers = 1});
  ASSERT_TRUE(weir.ready());
  Client first(weir.http());
  ASSERT_TRUE(first.connect());
  const Request held{.fields = {{"X-Do", "silent"}, {"X-Probe", "held"}}};
  EXPECT_EQ(first.send(held.to_bytes()), Outcome::kAnswered);
  const Deadline until;
  while (stage.backends.deliveries("held") == 0 && !until.over()) nap(Millis(2));
  EXPECT_EQ(ask_once(weir.http(), {}).status, 503);
}

}  // namespace
}  // namespace weir::scenario
