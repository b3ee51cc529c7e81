// Backends that fail: what the client sees, and what is tried again.

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "tests/scenario/harness/stage.h"

namespace weir::scenario {
namespace {

// A port where nobody listens.
std::uint16_t dead_port() { return port_of(listen_on_loopback(0).get()); }

TEST(Upstream, AResetIs502AndAHalfAnswerIsCutShortNeverCompleted) {
  Stage stage;
  stage.serve("a", {"a"});
  stage.files["ingress.yaml"] = simple_ingress("a", "a.test", "a");
  Weir weir(stage.files);
  ASSERT_TRUE(weir.ready());
  const Answer reset =
      ask_once(weir.http(), {.method = "POST", .fields = {{"X-Do", "reset"}, {"X-Probe", "once"}}});
  EXPECT_EQ(reset.status, 502) << reset.to_string();
  EXPECT_TRUE(reset.made_by_proxy());
  EXPECT_EQ(stage.backends.deliveries("once"), 1) << "a POST was delivered again";
  const Answer cut = ask_once(weir.http(), {.fields = {{"X-Do", "cut"}}});
  EXPECT_EQ(cut.outcome, Outcome::kTruncated) << cut.to_string();
  EXPECT_EQ(ask_once(weir.http(), {}).status, 200);
}

TEST(Upstream, ADeadEndpointIsPassedOverByEveryMethodAndAloneItIs502) {
  Stage stage;
  stage.serve("a", {"a"});
  const std::uint16_t dead = dead_port();
  stage.files["more.yaml"] = service("both", {stage.ports["a"], dead}) + service("dead", {dead});
  stage.files["ingress.yaml"] =
      simple_ingress("both", "both.test", "both") + simple_ingress("dead", "dead.test", "dead");
  Weir weir(stage.files, {.workers = 1});
  ASSERT_TRUE(weir.ready());
  for (int i = 0; i < 40; ++i) {
    const std::string probe = "probe-" + std::to_string(i);
    const Answer answer = ask_once(weir.http(), {.method = i % 2 == 0 ? "GET" : "POST",
                                                 .host = "both.test",
                                                 .fields = {{"X-Probe", probe}},
                                                 .body = i % 2 == 0 ? "" : "payload"});
    ASSERT_EQ(answer.status, 200) << answer.to_string();
    EXPECT_EQ(stage.backends.deliveries(probe), 1);
  }
  const Answer alone = ask_once(weir.http(), {.host = "dead.test"});
  EXPECT_EQ(alone.status, 502) << alone.to_string();
}

TEST(Upstream, AnEndpointThatNeverAcceptsIs504WithinItsConnectTimeouts) {
  Stage stage;
  // A listener whose queue is full drops every further SYN.
  const base::UniqueFd listener = listen_on_loopback(0, 0);
  std::vector<base::UniqueFd> queued;
  for (int i = 0; i < 4; ++i) {
    queued.push_back(connect_to(port_of(listener.get()), Deadline(Millis(200))));
  }
  stage.files["full.yaml"] = service("full", {port_of(listener.get())});
  stage.files["ingress.yaml"] = simple_ingress("full", "full.test", "full");
  Weir weir(stage.files);
  ASSERT_TRUE(weir.ready());
  const Clock::time_point start = Clock::now();
  const Answer answer =
      ask_once({.port = weir.http_port(), .patience = Millis(40'000)}, {.host = "full.test"});
  EXPECT_EQ(answer.status, 504) << answer.to_string();
  EXPECT_LT(Clock::now() - start, Millis(20'000));
}

TEST(Upstream, AKilledBackendLosesNoIdempotentRequestWhileAnotherLives) {
  Stage stage;
  stage.serve("a", {"a-0", "a-1"});
  stage.files["ingress.yaml"] = simple_ingress("a", "a.test", "a");
  Weir weir(stage.files, {.workers = 1});
  ASSERT_TRUE(weir.ready());
  Client client(weir.http());
  for (int i = 0; i < 20; ++i) ASSERT_EQ(client.ask({}).status, 200);
  stage.backends.kill("a-0");
  for (int i = 0; i < 100; ++i) {
    const Answer answer = client.ask({});
    ASSERT_EQ(answer.status, 200) << i << " after the kill: " << answer.to_string();
    ASSERT_EQ(answer.backend(), "a-1");
  }
}

// The race of every pool: the backend closes an idle connection in the moment of its next use.
TEST(Upstream, IdleConnectionsThatBackendsCloseAreNeverSeenByAClient) {
  Stage stage;
  stage.serve("a", {"a-0", "a-1"});
  stage.backends.set_idle_limit(Millis(20));
  stage.files["ingress.yaml"] = simple_ingress("a", "a.test", "a");
  Weir weir(stage.files);
  ASSERT_TRUE(weir.ready());
  std::atomic<int> failed{0};
  std::atomic<int> twice{0};
  const int rounds = 400 / kSlowness;
  std::vector<std::thread> clients;
  for (int c = 0; c < 4; ++c) {
    clients.emplace_back([&, c] {
      Client client(weir.http());
      for (int i = 0; i < rounds; ++i) {
        const std::string probe = std::to_string(c) + "-" + std::to_string(i);
        const Answer answer = client.ask({.method = i % 2 == 0 ? "GET" : "PUT",
                                          .fields = {{"X-Probe", probe}},
                                          .body = i % 2 == 0 ? "" : "x"});
        failed += answer.status == 200 ? 0 : 1;
        twice += stage.backends.deliveries(probe) > 1 ? 1 : 0;
        nap(Millis(15 + i % 12));
      }
    });
  }
  for (std::thread& one : clients) one.join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(twice, 0) << "requests that a backend saw and that were sent again";
}

TEST(Upstream, ABackendThatAsksToCloseIsObeyedAndTheClientStays) {
  Stage stage;
  stage.serve("a", {"a"});
  stage.files["ingress.yaml"] = simple_ingress("a", "a.test", "a");
  Weir weir(stage.files);
  ASSERT_TRUE(weir.ready());
  Client client(weir.http());
  const std::uint64_t before = stage.backends.connections("a");
  for (int i = 0; i < 5; ++i) {
    const Answer answer = client.ask({.fields = {{"X-Do", "close"}}});
    ASSERT_EQ(answer.status, 200) << answer.to_string();
    EXPECT_FALSE(answer.says_close()) << "the backend's Connection is not the client's";
  }
  EXPECT_EQ(stage.backends.connections("a") - before, 5U);
  EXPECT_FALSE(client.ended_by_peer());
}

}  // namespace
}  // namespace weir::scenario
