// HTTP/2 towards backends, hostile ones too; the client speaks HTTP/1.1.

#include <gmock/gmock.h>

#include <list>

#include "common/base/text.h"
#include "tests/push/h2_backend.h"
#include "tests/push/stage.h"

namespace weir::push {
namespace {

using model::make_resource;
using ::testing::HasSubstr;
using ::testing::Not;

class PushH2Upstream : public testing::Test {
 protected:
  // Points cluster "aa" at these backends by HTTP/2.
  void use(const std::vector<const H2Backend*>& backends, std::uint32_t max_streams = 100,
           std::uint32_t max_connections = 0) {
    model::Cluster cluster = make_cluster("aa");
    cluster.protocol = model::UpstreamProtocol::kHttp2;
    cluster.max_streams = max_streams;
    cluster.limits.max_connections = max_connections;
    std::vector<std::uint16_t> ports;
    for (const H2Backend* backend : backends) ports.push_back(backend->port());
    stage.must_push({make_resource(cluster), make_resource(make_endpoints("aa", ports))});
  }
  Answer post(const std::string& target, const std::string& more = {}) const {
    Client client(stage.door());
    client.send("POST " + target + " HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n" + more +
                "\r\nabc");
    return client.read();
  }
  // Clients that ask for /hold and wait.
  void hold(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      clients.emplace_back(stage.door());
      clients.back().send("POST /hold HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1\r\n\r\nx");
    }
  }
  void expect_answers() {
    for (Client& client : clients) EXPECT_EQ(client.read().status, 200);
  }

  Stage stage;
  std::list<Client> clients;
};

TEST_F(PushH2Upstream, ARequestAndItsResponsePassWithTheirTrailers) {
  H2Backend backend;
  use({&backend});
  const Answer answer = stage.get("/trailers?q=1", "TE: trailers\r\nX-One: 1\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "h2");
  const std::string head = backend.head("/trailers?q=1");
  EXPECT_THAT(head, HasSubstr(" | :method: GET | :scheme: http | :authority: a.test | :path: /"));
  EXPECT_THAT(head, HasSubstr(" | x-one: 1"));
  EXPECT_THAT(head, HasSubstr(" | x-forwarded-for: 127.0.0.1"));
  EXPECT_THAT(head, Not(HasSubstr("connection")));
  EXPECT_EQ(post("/p").status, 200);
  EXPECT_EQ(backend.processed("/p"), 1);
  EXPECT_EQ(backend.accepted(), 1U) << "a POST may use a connection that was idle";
}

TEST_F(PushH2Upstream, ManyRequestsShareOneConnectionAlsoWhileItIsBeingMade) {
  H2Backend backend;
  use({&backend});
  hold(40);
  ASSERT_TRUE(eventually([&] { return backend.waiting() == 40; })) << backend.waiting();
  EXPECT_EQ(backend.accepted(), 1U);
  backend.release();
  expect_answers();
}

TEST_F(PushH2Upstream, WhatThePeerOrTheClusterDoesNotAllowGoesToFurtherConnections) {
  H2Backend strict(4);
  use({&strict});
  hold(12);
  ASSERT_TRUE(eventually([&] { return strict.waiting() == 12; })) << strict.waiting();
  EXPECT_GE(strict.accepted(), 3U);
  EXPECT_LE(strict.accepted(), 6U);
  strict.release();
  expect_answers();

  H2Backend open(100);
  use({&open}, 3);
  clients.clear();
  hold(6);
  ASSERT_TRUE(eventually([&] { return open.waiting() == 6; })) << open.waiting();
  EXPECT_EQ(open.accepted(), 2U);
  open.release();
  expect_answers();
}

TEST_F(PushH2Upstream, TheLimitOfConnectionsHoldsAlsoForThoseThatWaitedTogether) {
  H2Backend strict(4);
  use({&strict}, 100, 1);
  hold(12);
  std::size_t refused = 0;
  const auto count_refused = [&] {
    std::erase_if(clients, [&refused](Client& client) {
      const int status = client.read(false, Millis(50)).status;
      refused += status == 503 ? 1 : 0;
      return status != 0;
    });
    return refused + strict.waiting() >= 12;
  };
  ASSERT_TRUE(eventually(count_refused)) << refused << " of 12, " << strict.waiting() << " wait";
  EXPECT_EQ(strict.accepted(), 1U);
  EXPECT_EQ(strict.waiting(), 4U);
  strict.release();
  expect_answers();
}

TEST_F(PushH2Upstream, AClientThatLeavesCancelsItsStreamAlone) {
  H2Backend backend;
  use({&backend});
  hold(2);
  ASSERT_TRUE(eventually([&] { return backend.waiting() == 2; }));
  clients.back().reset();
  clients.pop_back();
  EXPECT_TRUE(eventually([&] { return backend.cancelled() == 1; }));
  backend.release();
  expect_answers();
  EXPECT_EQ(backend.accepted(), 1U);
}

TEST_F(PushH2Upstream, WhatWasRefusedUnprocessedIsSentAgainWhateverTheMethod) {
  H2Backend backend;
  use({&backend});
  for (const std::string path : {"/refuse", "/goaway"}) {
    EXPECT_EQ(post(path).status, 200) << path;
    EXPECT_EQ(backend.processed(path), 1) << path;
  }
  EXPECT_EQ(post("/refuse-always").status, 502);
}

TEST_F(PushH2Upstream, APostThatAnEndpointMayHaveSeenIsNeverSentAgain) {
  H2Backend first, second;
  use({&first, &second});
  for (const std::string path : {"/cut", "/goaway-and-cut"}) {
    for (int i = 0; i < 10; ++i) {
      const int before = first.processed(path) + second.processed(path);
      EXPECT_EQ(post(path).status, 502) << path;
      EXPECT_EQ(first.processed(path) + second.processed(path), before + 1) << path;
    }
  }
}

TEST_F(PushH2Upstream, GoAwayInTheMiddleOfTrafficLosesNothing) {
  H2Backend backend;
  use({&backend});
  hold(5);
  ASSERT_TRUE(eventually([&] { return backend.waiting() == 5; }));
  EXPECT_EQ(post("/goaway").status, 200);
  EXPECT_EQ(backend.processed("/goaway"), 1);
  backend.release();
  expect_answers();
  EXPECT_EQ(backend.processed("/hold"), 5);
}

TEST_F(PushH2Upstream, Row9HostileAnswersBreakTheirRequestAndNothingElse) {
  H2Backend backend;
  use({&backend});
  for (const std::string path : {"/bomb", "/flood", "/settings", "/interims", "/noise", "/push"}) {
    const Answer answer = stage.get(path);
    EXPECT_EQ(answer.status, 502) << path;
    EXPECT_EQ(stage.get("/ok").body, "h2") << path;
  }
  // The head has passed: the client sees that the body is broken.
  for (const std::string path : {"/short", "/long"}) {
    EXPECT_EQ(stage.get(path).status, 0) << path;
    EXPECT_EQ(stage.get("/ok").body, "h2") << path;
  }
  EXPECT_EQ(stage.get("/empty").status, 0);
  EXPECT_EQ(stage.get("/ok").body, "h2");
  EXPECT_TRUE(eventually([&] { return backend.gone_away() >= 3; })) << "they are told why";
}

TEST_F(PushH2Upstream, ABackendThatSpeaksHttp1Is502WithTheReason) {
  model::Cluster cluster = make_cluster("aa");
  cluster.protocol = model::UpstreamProtocol::kHttp2;
  stage.must_push({make_resource(cluster)});
  EXPECT_EQ(stage.get("/").status, 502);
  EXPECT_TRUE(eventually([&] {
    return stage.dataplane.access_log().find("does not speak HTTP/2") != std::string::npos;
  })) << stage.dataplane.access_log();
}

TEST_F(PushH2Upstream, AGrpcClientIsToldOfOurErrorsByItsOwnMeans) {
  const std::string grpc = "Content-Type: application/grpc+proto\r\n";
  model::Route missing = make_route("missing", "/missing", "");
  stage.must_push({make_resource(missing), make_resource(make_endpoints("aa", {}))});
  const Answer unavailable = post("/x", grpc);
  EXPECT_EQ(unavailable.status, 200);
  EXPECT_EQ(unavailable.field("grpc-status"), "14");
  EXPECT_EQ(unavailable.field("grpc-message"), "503 Service Unavailable");
  EXPECT_EQ(unavailable.field("content-type"), "application/grpc");
  EXPECT_EQ(unavailable.body, "");
  EXPECT_EQ(post("/missing", grpc).field("grpc-status"), "12");
  EXPECT_EQ(post("/x").status, 503);

  H2Backend backend;
  use({&backend});
  Client client(stage.door());
  client.send("POST /hold HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1\r\n" + grpc +
              "grpc-timeout: 200m\r\n\r\nx");
  EXPECT_EQ(client.read().field("grpc-status"), "4");
  EXPECT_THAT(backend.head("/hold"), HasSubstr(" | grpc-timeout: 200m"));
  EXPECT_TRUE(eventually([&] { return backend.cancelled() == 1; }));
}

// The backend keeps the same deadline: who ends the stream first is a matter of chance, what the
// client is told is not.
TEST_F(PushH2Upstream, ABackendThatEndsAStreamAtItsDeadlineIsToldAsTheDeadline) {
  const std::string grpc = "Content-Type: application/grpc+proto\r\n";
  H2Backend backend;
  use({&backend});
  EXPECT_EQ(post("/cancel", grpc).field("grpc-status"), "14");
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(post("/cancel", grpc + "grpc-timeout: 1u\r\n").field("grpc-status"), "4");
  }
}

TEST_F(PushH2Upstream, GrpcWebOfAnHttp1ClientBecomesGrpcAndItsTrailersAFrame) {
  H2Backend backend;
  use({&backend});
  const auto policy = model::make_policy("grpc_web", 1, "{}", {});
  model::Route route = make_route("root", "/", "aa");
  route.policies = {policy->key.name};
  stage.must_push({policy, make_resource(route)});

  const std::string lines = "grpc-status: 0\r\nx-sum: 7\r\n";
  const std::string frame = "\x80" + codec::number(lines.size(), 4) + lines;
  const Answer binary = post("/trailers/a", "Content-Type: application/grpc-web+proto\r\n");
  EXPECT_EQ(binary.field("content-type"), "application/grpc-web+proto");
  EXPECT_EQ(binary.body, "h2" + frame);
  EXPECT_THAT(backend.head("/trailers/a"), HasSubstr(" | content-type: application/grpc+proto"));
  EXPECT_THAT(backend.head("/trailers/a"), HasSubstr(" | te: trailers"));

  Client client(stage.door());
  const auto text = [&client](const std::string& body) {
    client.send(
        "POST /trailers/b HTTP/1.1\r\nHost: a.test\r\nContent-Type: "
        "application/grpc-web-text\r\nContent-Length: " +
        std::to_string(body.size()) + "\r\n\r\n" + body);
    return client.read();
  };
  const Answer encoded = text("AAAAAAE=AAE=");
  EXPECT_EQ(encoded.field("content-type"), "application/grpc-web-text");
  EXPECT_EQ(encoded.body, base::base64_encode("h2") + base::base64_encode(frame));
  EXPECT_EQ(post("/trailers/c", "Content-Type: text/plain\r\n").body, "h2") << "nobody else's";
  stage.must_push({make_resource(make_endpoints("aa", {}))});
  const Answer none = post("/x", "Content-Type: application/grpc-web\r\n");
  EXPECT_EQ(none.field("grpc-status"), "14");
  EXPECT_EQ(none.field("content-type"), "application/grpc-web");
}

}  // namespace
}  // namespace weir::push
