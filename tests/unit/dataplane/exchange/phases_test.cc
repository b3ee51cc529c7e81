#include "tests/unit/dataplane/exchange/exchange_fixture.h"

namespace weir::exchange {
namespace {

using codec::BodyLength;
using namespace std::chrono_literals;
using Does = ScriptedUpstreams::Does;

TEST_F(ExchangeTest, AGetGoesToTheUpstreamAndItsAnswerComesBack) {
  add_route("/");
  get("/a?b=c");
  EXPECT_EQ(call().cluster, "shop");
  EXPECT_EQ(call().stream->sent_length, "none");
  EXPECT_EQ(call().stream->field("X-Forwarded-For"), "192.0.2.9");
  answer(200, "hello");
  EXPECT_EQ(client.copy->status(), 200);
  EXPECT_EQ(client.sent_length, "5");
  EXPECT_EQ(client.body, "hello");
  EXPECT_TRUE(client.ended);
  EXPECT_EQ(client.field("Server"), "weir");
  EXPECT_EQ(client.field("Date"), "Fri, 15 Jan 2027 08:00:00 GMT");
  EXPECT_EQ(done, 1);
  ASSERT_EQ(records.count, 1);
  EXPECT_EQ(records.last.status, 200);
  EXPECT_EQ(records.last.upstream_status, 200);
  EXPECT_EQ(records.last.response_body_bytes, 5u);
  EXPECT_EQ(records.upstream, "10.0.0.1:80");
  EXPECT_EQ(records.cluster, "shop");
  EXPECT_EQ(records.request_id.size(), 32u);
  EXPECT_FALSE(*call().alive);
}

TEST_F(ExchangeTest, WhatHasNoEndpointIsAnsweredByUs) {
  struct Case {
    std::string_view name, target, hostname;
    std::function<void(RoutePlan&)> edit;
    Does does;
    int status;
  };
  const auto same = [](RoutePlan&) {};
  for (const Case& c : std::vector<Case>{
           {"no route", "/other", "", same, Does::kReady, 404},
           {"listener of another host", "/shop", "other.test", same, Does::kReady, 404},
           {"listener of the domain", "/shop", "*.test", same, Does::kNothing, 503},
           {"escape above the root", "/shop/../../x", "", same, Does::kReady, 400},
           {"no endpoint", "/shop", "", same, Does::kNothing, 503},
           {"unavailable", "/shop", "", [](RoutePlan& p) { p.unavailable = "denied"; },
            Does::kReady, 503},
           {"invalid share", "/shop", "", [](RoutePlan& p) { p.backends[0].invalid = true; },
            Does::kReady, 500},
           {"no weight", "/shop", "", [](RoutePlan& p) { p.total_weight = 0; }, Does::kReady, 500},
           {"no cluster", "/shop", "", [](RoutePlan& p) { p.backends[0] = backend("gone"); },
            Does::kReady, 503},
           {"fixed status", "/shop", "", [](RoutePlan& p) { p.backends.clear(); }, Does::kReady,
            404},
           {"connect fails", "/shop", "", same, Does::kFails, 502}}) {
    SCOPED_TRACE(c.name);
    client = ScriptedStream();
    upstreams.calls.clear();
    upstreams.script.assign(3, {c.does, false});
    table_ = routing::RouteTable();
    listener.hostname = c.hostname;
    done = 0;
    add_route("/shop", c.edit);
    get(c.target);
    ASSERT_NE(client.copy, nullptr);
    EXPECT_EQ(client.copy->status(), c.status);
    EXPECT_EQ(client.field("Content-Type"), "text/plain; charset=utf-8");
    EXPECT_TRUE(client.body.starts_with(std::to_string(c.status) + " "));
    EXPECT_TRUE(client.ended);
    EXPECT_EQ(done, 1);
    EXPECT_EQ(records.last.status, c.status);
  }
}

TEST_F(ExchangeTest, BodiesFlowBothWaysWithBackPressure) {
  add_route("/");
  codec::MessageTarget& request = begin(head("POST", "/"), BodyLength::unknown());
  EXPECT_FALSE(client.paused);
  call().stream->queue = codec::MessageStream::kHighMark + 1;
  request.on_data(worker::Slice::borrowed("abc"));
  EXPECT_TRUE(client.paused);
  call().stream->queue = 0;
  call().response->on_writable();
  EXPECT_FALSE(client.paused);
  request.on_data(worker::Slice::borrowed("def"));
  codec::HeadPtr trailers = heads.take();
  trailers->add("Checksum", "1");
  request.on_trailers(std::move(trailers));
  request.on_end();
  EXPECT_EQ(call().stream->body, "abcdef");
  EXPECT_NE(call().stream->trailers.find("Checksum"), std::string::npos);

  call().response->on_head(response(200), BodyLength::unknown());
  client.queue = codec::MessageStream::kHighMark + 1;
  call().response->on_data(worker::Slice::borrowed("x"));
  EXPECT_TRUE(call().stream->paused);
  client.queue = 0;
  request.on_writable();
  EXPECT_FALSE(call().stream->paused);
  codec::HeadPtr more = heads.take();
  more->add("Digest", "2");
  call().response->on_trailers(std::move(more));
  call().response->on_end();
  EXPECT_NE(client.trailers.find("Digest"), std::string::npos);
  EXPECT_EQ(done, 1);
}

TEST_F(ExchangeTest, TheClientWaitsWhileAConnectionIsMade) {
  add_route("/");
  upstreams.script = {{Does::kLater, false}};
  codec::MessageTarget& request = begin(head("POST", "/"), BodyLength::known(3));
  EXPECT_TRUE(client.paused);
  client.on_resume = [&] { request.on_data(worker::Slice::borrowed("abc")); };
  call().target->on_attempt_ready();
  EXPECT_FALSE(client.paused);
  EXPECT_EQ(call().stream->body, "abc");
  request.on_end();
  answer(204, "");
  EXPECT_EQ(client.copy->status(), 204);
  EXPECT_EQ(client.sent_length, "none");
  EXPECT_EQ(done, 1);
}

TEST_F(ExchangeTest, InterimHeadsPassAndExpectIsForwarded) {
  add_route("/");
  codec::MessageTarget& request =
      begin(head("PUT", "/", {{"Expect", "100-continue"}}), BodyLength::known(2));
  EXPECT_EQ(call().stream->field("Expect"), "100-continue");
  call().response->on_interim(response(100));
  call().response->on_interim(response(103, {{"Link", "</a>"}, {"Connection", "x"}}));
  ASSERT_EQ(client.interims.size(), 2u);
  EXPECT_EQ(client.interims[1], "103 [Link: </a>]");
  request.on_data(worker::Slice::borrowed("ab"));
  request.on_end();
  answer(200, "ok");
  EXPECT_EQ(done, 1);
}

TEST_F(ExchangeTest, AnEarlyResponsePassesAndEndsTheUpstreamsConnection) {
  add_route("/");
  codec::MessageTarget& request = begin(head("POST", "/"), BodyLength::known(1000));
  request.on_data(worker::Slice::borrowed("part"));
  answer(403, "no");
  EXPECT_EQ(client.copy->status(), 403);
  EXPECT_TRUE(client.ended);
  EXPECT_EQ(done, 1);
  EXPECT_FALSE(*call().alive);  // an attempt that is not over resets its stream
}

TEST_F(ExchangeTest, UpgradesBecomeTunnelsOnlyWhenAsked) {
  add_route("/");
  codec::MessageTarget& request =
      begin(head("GET", "/ws", {{"Connection", "Upgrade"}, {"Upgrade", "websocket"}}));
  request.on_end();
  EXPECT_EQ(call().stream->field("Upgrade"), "websocket");
  client.tunnel = call().stream->tunnel = true;
  call().response->on_head(response(101, {{"Upgrade", "websocket"}, {"Connection", "Upgrade"}}),
                           BodyLength::unknown());
  EXPECT_EQ(client.copy->status(), 101);
  EXPECT_EQ(client.field("Upgrade"), "websocket");
  request.on_data(worker::Slice::borrowed("ping"));
  call().response->on_data(worker::Slice::borrowed("pong"));
  EXPECT_EQ(call().stream->body, "ping");
  EXPECT_EQ(client.body, "pong");
  call().response->on_end();
  EXPECT_TRUE(client.ended);
  EXPECT_EQ(done, 1);
  EXPECT_EQ(records.last.status, 101);
}

TEST_F(ExchangeTest, AnUninvited101IsABadGateway) {
  add_route("/");
  get("/");
  call().response->on_head(response(101, {{"Upgrade", "websocket"}}), BodyLength::unknown());
  EXPECT_EQ(client.copy->status(), 502);
  EXPECT_FALSE(call().stream->was_reset.empty());
}

TEST_F(ExchangeTest, ATunnelPinsNoSnapshot) {
  add_route("/");
  const std::weak_ptr<const Snapshot> old = [this] {
    auto snapshot = std::make_shared<const Snapshot>(*next_);
    live.replace(snapshot);
    return snapshot;
  }();
  codec::MessageTarget& request =
      begin(head("GET", "/", {{"Connection", "upgrade"}, {"Upgrade", "x"}}));
  request.on_end();
  client.tunnel = call().stream->tunnel = true;
  publish();
  EXPECT_FALSE(old.expired());
  call().response->on_head(response(101, {{"Upgrade", "x"}}), BodyLength::unknown());
  EXPECT_TRUE(old.expired());
  request.on_end();
  EXPECT_EQ(done, 1);
  EXPECT_NE(records.count, 0);
}

TEST_F(ExchangeTest, ALongBodyLetsAReplacedSnapshotGo) {
  add_route("/");
  auto snapshot = std::make_shared<const Snapshot>(*next_);
  const std::weak_ptr<const Snapshot> old = snapshot;
  live.replace(std::move(snapshot));
  get("/");
  call().response->on_head(response(200), BodyLength::known(4));
  call().response->on_data(worker::Slice::borrowed("ab"));
  EXPECT_FALSE(old.expired());
  publish();
  EXPECT_FALSE(old.expired());
  call().response->on_data(worker::Slice::borrowed("cd"));
  EXPECT_TRUE(old.expired());
  call().response->on_end();
  EXPECT_EQ(records.last.status, 200);
}

TEST_F(ExchangeTest, TimeoutsAnswerOrBreakOff) {
  struct Case {
    std::string_view name;
    bool body, started;
    std::chrono::seconds wait;
    int status;
  };
  for (const Case& c : {Case{"silent upstream", false, false, 61s, 504},
                        Case{"silent client", true, false, 61s, 408},
                        Case{"silent in the response", false, true, 61s, 200},
                        Case{"not yet", false, false, 59s, 0}}) {
    SCOPED_TRACE(c.name);
    client = ScriptedStream();
    upstreams.calls.clear();
    done = 0;
    add_route("/");
    codec::MessageTarget& request =
        begin(head("POST", "/"), c.body ? BodyLength::known(5) : BodyLength::none());
    if (!c.body) request.on_end();
    if (c.started) call().response->on_head(response(200), BodyLength::known(5));
    pass(c.wait);
    EXPECT_EQ(client.copy == nullptr ? 0 : client.copy->status(), c.status);
    EXPECT_EQ(!client.was_reset.empty(), c.started);
    EXPECT_EQ(done, c.status == 0 ? 0 : 1);
    if (done == 0) answer(200, "");
  }
}

TEST_F(ExchangeTest, BytesMoveTheReadTimeout) {
  add_route("/");
  get("/");
  call().response->on_head(response(200), BodyLength::unknown());
  for (int i = 0; i < 5; ++i) {
    pass(50s);
    call().response->on_data(worker::Slice::borrowed("."));
  }
  EXPECT_EQ(done, 0);
  pass(61s);
  EXPECT_EQ(done, 1);
  EXPECT_FALSE(client.was_reset.empty());
}

TEST_F(ExchangeTest, AClientThatLeavesIsA499) {
  add_route("/");
  codec::MessageTarget& request = get("/");
  request.on_reset({base::ErrorKind::kClosed, base::Origin::kClient, false, "gone"});
  EXPECT_EQ(records.last.status, 499);
  EXPECT_FALSE(*call().alive);
  EXPECT_EQ(done, 1);
}

TEST_F(ExchangeTest, AResponseThatBreaksResetsTheClient) {
  add_route("/");
  get("/");
  call().response->on_head(response(200), BodyLength::known(10));
  call().response->on_data(worker::Slice::borrowed("12"));
  call().response->on_reset({base::ErrorKind::kClosed, base::Origin::kUpstream, false, "lost"});
  EXPECT_EQ(client.was_reset, "lost");
  EXPECT_EQ(records.error, "lost");
}

TEST_F(ExchangeTest, WeightsAreDealtExactly) {
  add_route("/", [](RoutePlan& plan) {
    plan.backends.clear();
    plan.backends.push_back(backend("shop", 3));
    plan.backends.push_back(backend("cart", 1));
    plan.backends.push_back(backend("gone", 0));
    plan.total_weight = 4;
  });
  std::map<std::string, int> dealt;
  for (std::size_t i = 0; i < 40; ++i) {
    client = ScriptedStream();
    done = 0;
    get("/");
    ++dealt[call(i).cluster];
    answer(200, "", i);
  }
  EXPECT_EQ(dealt["shop"], 30);
  EXPECT_EQ(dealt["cart"], 10);
}

TEST_F(ExchangeTest, ARefusedRequestGetsThePageOfItsStatus) {
  const base::Error bad{base::ErrorKind::kProtocol, base::Origin::kClient, false, "bare LF"};
  for (const int status : {400, 408, 413, 414, 431, 501, 505}) {
    client = ScriptedStream();
    codec::HeadPtr request = head("GET", "/", {{"Accept", "text/html,*/*"}});
    refuse_request(context, facts, client, status, bad, request.get());
    EXPECT_EQ(client.copy->status(), status);
    EXPECT_EQ(client.field("Content-Type"), "text/html; charset=utf-8");
    EXPECT_NE(client.body.find("<h1>" + std::to_string(status) + " "), std::string::npos);
    EXPECT_TRUE(client.ended);
    EXPECT_EQ(records.error, "bare LF");
  }
}

}  // namespace
}  // namespace weir::exchange
