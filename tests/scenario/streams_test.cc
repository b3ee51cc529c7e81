// What flows for a while: tunnels, streams both ways, back-pressure, trailers and interim answers.

#include <gtest/gtest.h>

#include "tests/scenario/harness/stage.h"

namespace weir::scenario {
namespace {

class Streams : public ::testing::Test {
 protected:
  Streams() {
    stage_.serve("a", {"a"});
    stage_.files["ingress.yaml"] = ingress({.name = "a",
                                            .rules = {{"a.test", {{.service = "a"}}}},
                                            .annotations = {{"proxy-body-size", "0"}}});
    weir_.emplace(stage_.files);
  }
  void SetUp() override { ASSERT_TRUE(weir_->ready()); }

  Answer ask(const std::string& what, const std::string& method = "GET") {
    return ask_once(weir_->http(), {.method = method, .fields = {{"X-Do", what}}});
  }
  // Any change that reaches the workers.
  void change_something(int n) {
    ASSERT_TRUE(weir_->change(
        "other.yaml", simple_ingress("other", "other-" + std::to_string(n) + ".test", "a")));
  }

  Stage stage_;
  std::optional<Weir> weir_;
};

Request upgrade(const std::string& protocol) {
  return {.target = "/ws",
          .fields = {{"Connection", "Upgrade"},
                     {"Upgrade", protocol},
                     {"Sec-WebSocket-Version", "13"},
                     {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}}};
}

TEST_F(Streams, AWebSocketIsOpenedAndLivesThroughChangesAlsoWhenItsRouteIsGone) {
  Client client(weir_->http());
  const Answer answer = client.ask(upgrade("websocket"));
  ASSERT_EQ(answer.status, 101) << answer.to_string();
  EXPECT_EQ(answer.message.find("Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  const auto echo = [&client] {
    client.send(
        std::string("\x81\x84"
                    "abcd"
                    "\x11\x0b\x0d\x03",
                    10));
    return client.read_bytes(6);
  };
  EXPECT_EQ(echo(), "\x81\x04ping");
  for (int i = 0; i < 20; ++i) {
    change_something(i);
    ASSERT_EQ(echo(), "\x81\x04ping") << "after change " << i;
  }
  ASSERT_TRUE(weir_->change_by_removing("ingress.yaml"));
  EXPECT_EQ(ask_once(weir_->http(), {}).status, 404);
  EXPECT_EQ(echo(), "\x81\x04ping") << "its route is gone, the tunnel must stay";
  EXPECT_FALSE(client.ended_by_peer());
}

TEST_F(Streams, ATunnelCarriesMegabytesBothWaysAndEndsWithItsClient) {
  Client client(weir_->http());
  ASSERT_EQ(client.ask(upgrade("bytes")).status, 101);
  const std::string sent = pattern(4'000'000);
  std::thread writer([&] { EXPECT_EQ(client.send(sent), Outcome::kAnswered); });
  // Nothing else reads this socket: the writer only writes.
  std::string got;
  while (got.size() < sent.size() && client.read_more(got)) {
  }
  writer.join();
  EXPECT_TRUE(got == sent) << got.size() << " bytes came back";
  client.close();
  EXPECT_TRUE(eventually([&] {
    return weir_->metric(weir_->admin_port(), "nginx_ingress_controller_nginx_process_connections",
                         "state=\"active\"") <= 2;
  }));
}

TEST_F(Streams, AnUpgradeToH2cIsAnsweredAsHttp1AndNeverForwarded) {
  const Answer answer =
      ask_once(weir_->http(), {.fields = {{"Connection", "Upgrade, HTTP2-Settings"},
                                          {"Upgrade", "h2c"},
                                          {"HTTP2-Settings", "AAMAAABk"}}});
  EXPECT_EQ(answer.status, 200) << answer.to_string();
  const Message seen = stage_.backends.last_request("a");
  EXPECT_FALSE(seen.has("Upgrade") || seen.has("HTTP2-Settings")) << format_fields(seen);
}

TEST_F(Streams, EventsArriveAsTheyAreSentAndTrailersBehindThem) {
  Client client(weir_->http());
  ASSERT_TRUE(client.connect());
  const Clock::time_point start = Clock::now();
  client.send(Request{.fields = {{"X-Do", "stream:5:100"}}}.to_bytes());
  std::string bytes;
  while (bytes.find("data: a 5") == std::string::npos && client.read_more(bytes)) {
  }
  const auto first = Clock::now() - start;
  EXPECT_EQ(bytes.find("data: a 1"), std::string::npos) << "the first event waited for the last";
  client.buffer().insert(0, bytes);
  const Answer answer = client.read();
  EXPECT_GE(Clock::now() - start, Millis(400)) << "the backend takes that long";
  EXPECT_LT(first, Millis(400)) << "the first event was held back";
  EXPECT_EQ(answer.outcome, Outcome::kAnswered) << answer.to_string();
  ASSERT_EQ(answer.message.trailers.size(), 1U);
  EXPECT_EQ(answer.message.trailers[0].second, "done");
}

TEST_F(Streams, AChunkedRequestIsReframedAndItsTrailersNeverBecomeHeaders) {
  Client client(weir_->http());
  ASSERT_TRUE(client.connect());
  client.send(
      "POST /up HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\nTrailer: X-Check\r\n\r\n"
      "5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\nX-Check: 7\r\nAuthorization: stolen\r\n\r\n");
  const Answer answer = client.read();
  ASSERT_EQ(answer.status, 200) << answer.to_string();
  const Message seen = stage_.backends.last_request("a");
  EXPECT_EQ(seen.body, "hello world");
  EXPECT_FALSE(seen.has("Authorization") || seen.has("X-Check")) << format_fields(seen);
  for (const auto& [name, value] : seen.trailers) EXPECT_NE(name, "Authorization") << value;
}

TEST_F(Streams, InterimAnswersAndHeadPassThrough) {
  const Answer hints = ask("hints");
  ASSERT_EQ(hints.status, 200) << hints.to_string();
  ASSERT_EQ(hints.interim.size(), 1U);
  EXPECT_EQ(hints.interim[0].status(), 103);
  EXPECT_EQ(hints.interim[0].find("Link"), "</style.css>; rel=preload");

  const Answer head = ask("big:5000", "HEAD");
  EXPECT_EQ(head.status, 200);
  EXPECT_TRUE(head.message.body.empty());

  Client client(weir_->http());
  ASSERT_TRUE(client.connect());
  client.send(
      "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  std::string bytes;
  while (bytes.find("\r\n\r\n") == std::string::npos && client.read_more(bytes)) {
  }
  EXPECT_EQ(bytes.substr(0, 12), "HTTP/1.1 100") << bytes;
  client.buffer().insert(0, bytes);
  client.send("body");
  const Answer answer = client.read();
  EXPECT_EQ(answer.status, 200) << answer.to_string();
  EXPECT_EQ(stage_.backends.last_request("a").body, "body");
}

TEST_F(Streams, ASlowReaderHoldsTheBackendBackAndCostsNoMemory) {
  constexpr long kBytes = 64'000'000;
  const auto before = pss_kilobytes(weir_->worker());
  Client client({.port = weir_->http_port(), .receive_buffer = 16'384});
  ASSERT_TRUE(client.connect());
  client.send(Request{.fields = {{"X-Do", "big:" + std::to_string(kBytes)}}}.to_bytes());
  nap(Millis(500 * kSlowness));
  const auto during = pss_kilobytes(weir_->worker());
  if (before && during && kSlowness == 1) {
    EXPECT_LT(*during - *before, 4'000) << "kilobytes for one reader that does not read";
  }
  const Answer answer = client.read();
  ASSERT_EQ(answer.outcome, Outcome::kAnswered) << to_string(answer.outcome);
  ASSERT_EQ(answer.message.body.size(), static_cast<std::size_t>(kBytes));
  EXPECT_EQ(answer.message.body.substr(251 * 1024, 1'000), pattern(1'000));
}

TEST_F(Streams, ASlowBackendHoldsTheUploadBackAndCostsNoMemory) {
  constexpr std::size_t kBytes = 24'000'000;
  const auto before = pss_kilobytes(weir_->worker());
  Client client(weir_->http());
  ASSERT_TRUE(client.connect());
  const std::string body = pattern(kBytes);
  std::atomic<bool> sent{false};
  std::thread writer([&] {
    client.send(Request{.method = "PUT",
                        .fields = {{"X-Do", "rest:" + std::to_string(600 * kSlowness)}},
                        .body = body}
                    .to_bytes());
    sent = true;
  });
  nap(Millis(300 * kSlowness));
  EXPECT_FALSE(sent) << "the proxy swallowed 24 MB that nobody reads";
  const auto during = pss_kilobytes(weir_->worker());
  if (before && during && kSlowness == 1) {
    EXPECT_LT(*during - *before, 4'000) << "kilobytes for one upload that nobody reads";
  }
  writer.join();
  const Answer answer = client.read();
  ASSERT_EQ(answer.status, 200) << answer.to_string();
  EXPECT_NE(answer.message.body.find("sum=" + sum_of(body)), std::string::npos) << "bytes differ";
}

}  // namespace
}  // namespace weir::scenario
