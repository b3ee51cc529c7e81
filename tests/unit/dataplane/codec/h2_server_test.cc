// The server side of HTTP/2 against a client session of nghttp2 and against frames made by hand.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/dataplane/codec/h2_rig.h"

namespace weir::codec {
namespace {

using testing::ElementsAre;
using Exchange = H2Server::Exchange;

void echo(Exchange& exchange) {
  exchange.then_end = [&exchange] { exchange.reply(200, "you sent " + exchange.body); };
}

TEST(H2ServerTest, SeveralExchangesRunAtOnceAndAnswerInAnyOrder) {
  H2Rig rig;
  const auto one = rig.peer.request(h2::get("/1"));
  const auto two = rig.peer.request(h2::get("/2"));
  rig.settle();
  ASSERT_EQ(rig.server.exchanges.size(), 2U);
  EXPECT_EQ(rig.session->open_streams(), 2U);
  EXPECT_EQ(rig.session->phase(), SessionPhase::kBusy);
  EXPECT_THAT(rig.server.last().events, ElementsAre("head GET /2 @a.test body=none", "end"));
  rig.server.exchanges[1]->reply(200, "second");
  rig.settle();
  rig.server.exchanges[0]->reply(404, "first");
  rig.settle();
  EXPECT_EQ(rig.peer.response(two).body, "second");
  EXPECT_EQ(rig.peer.response(one).status, 404);
  EXPECT_EQ(rig.peer.response(one).field("content-length"), "5");
  EXPECT_EQ(*rig.peer.response(one).closed, NGHTTP2_NO_ERROR);
  EXPECT_EQ(rig.session->open_streams(), 0U);
  EXPECT_EQ(rig.session->phase(), SessionPhase::kIdle);
  EXPECT_TRUE(rig.ok);
}

TEST(H2ServerTest, BodiesTrailersAndInterimHeadsPass) {
  H2Rig rig;
  rig.server.prepare = [](Exchange& exchange) {
    exchange.then_head = [&exchange] {
      Head interim;
      interim.set_status(103);
      interim.add("Link", "</a>");
      exchange.stream->send_interim(interim);
    };
    exchange.then_end = [&exchange] {
      Head response;
      response.set_status(200);
      exchange.stream->send_head(response, BodyLength::unknown());
      exchange.stream->send_data(worker::Slice::borrowed("got " + exchange.body));
      Head trailers;
      trailers.add("Grpc-Status", "0");
      trailers.add("Content-Length", "9");
      exchange.stream->send_trailers(trailers);
    };
  };
  const std::string body = "hello";
  auto fields = h2::get("/up");
  fields.emplace_back("content-length", "5");
  const auto id = rig.peer.request(fields, &body, {{"x-sum", "1"}, {"authorization", "no"}});
  rig.settle();
  EXPECT_THAT(rig.server.last().events,
              ElementsAre("head GET /up @a.test | content-length: 5 body=5", "data hello",
                          "trailers   @ | x-sum: 1", "end"));
  const h2::Response& response = rig.peer.response(id);
  EXPECT_THAT(response.interims, ElementsAre(103));
  EXPECT_EQ(response.body, "got hello");
  EXPECT_EQ(response.trailers, (h2::Fields{{"grpc-status", "0"}}));
  EXPECT_EQ(*response.closed, NGHTTP2_NO_ERROR);
}

TEST(H2ServerTest, AResponseWithoutABodyEndsWithItsHead) {
  for (const char* method : {"HEAD", "GET"}) {
    H2Rig rig;
    const bool is_head = std::string_view(method) == "HEAD";
    rig.server.prepare = [is_head](Exchange& exchange) {
      exchange.then_end = [&exchange, is_head] {
        if (is_head) return exchange.reply(200, "not sent");
        Head response;
        response.set_status(204);
        exchange.stream->send_head(response, BodyLength::none());
      };
    };
    auto fields = h2::get();
    fields[0].second = method;
    const auto id = rig.peer.request(fields);
    rig.settle();
    EXPECT_TRUE(rig.peer.response(id).ended) << method;
    EXPECT_EQ(rig.peer.response(id).body, "");
    EXPECT_EQ(rig.peer.response(id).field("content-length"), is_head ? "8" : "");
    const auto frames = h2::split(rig.heard);
    EXPECT_EQ(last_of(frames, h2::kData), nullptr) << method;
  }
}

TEST(H2ServerTest, CreditComesOnlyAsTheTargetTakes) {
  H2Rig rig;
  rig.server.prepare = [](Exchange& exchange) {
    exchange.then_head = [&exchange] { exchange.stream->pause(); };
    echo(exchange);
  };
  const auto id = rig.peer.open(h2::get());
  rig.peer.send(id, std::string(300'000, 'x'));
  rig.peer.end(id);
  rig.settle();
  EXPECT_EQ(rig.server.last().body.size(), 0U);
  EXPECT_EQ(nghttp2_session_get_stream_remote_window_size(rig.peer.handle(), id), 0);
  EXPECT_LE(rig.memory.buffers.chunks_taken() * worker::BufferPool::kLarge, 65'536U + 3 * 16'384U)
      << "no more waits here than the window allows";
  // Another one is not held up.
  rig.server.prepare = echo;
  const auto other = rig.peer.request(h2::get("/other"));
  rig.settle();
  EXPECT_TRUE(rig.peer.done(other));
  rig.server.exchanges[0]->stream->resume();
  rig.settle();
  EXPECT_EQ(rig.server.exchanges[0]->body.size(), 300'000U);
  EXPECT_TRUE(rig.peer.done(id));
}

TEST(H2ServerTest, ASlowClientIsFeltAsAQueueAndToldWhenItDrains) {
  H2Rig rig({}, {.window = 1000, .opens_windows = false});
  const auto id = rig.peer.request(h2::get());
  rig.settle();
  Exchange& exchange = rig.server.last();
  Head response;
  response.set_status(200);
  exchange.stream->send_head(response, BodyLength::unknown());
  const std::string piece(100'000, 'p');
  for (int i = 0; i < 3; ++i) exchange.stream->send_data(worker::Slice::borrowed(piece));
  rig.settle();
  EXPECT_EQ(rig.peer.response(id).body.size(), 1000U);
  EXPECT_EQ(exchange.stream->queued(), 299'000U);
  EXPECT_EQ(exchange.events.back(), "end") << "not writable yet";
  rig.session->on_bytes(h2::window_update(static_cast<std::uint32_t>(id), 250'000));
  rig.session->on_bytes(h2::window_update(0, 250'000));
  rig.turn();
  EXPECT_EQ(exchange.events.back(), "writable");
  EXPECT_EQ(exchange.stream->queued(), 49'000U);
}

TEST(H2ServerTest, AFullWireStopsFramesAndLetsThemGoOnWhenItDrains) {
  H2Rig rig({}, {.window = 10'000'000});
  rig.peer.request(h2::get());
  rig.settle();
  Exchange& exchange = rig.server.last();
  rig.wire.backlog = MessageStream::kHighMark + 1;
  Head response;
  response.set_status(200);
  exchange.stream->send_head(response, BodyLength::unknown());
  exchange.stream->send_data(worker::Slice::borrowed(std::string(50'000, 'p')));
  rig.turn();
  EXPECT_EQ(rig.wire.out, "");
  EXPECT_EQ(exchange.stream->queued(), 50'000U);
  rig.wire.backlog = 0;
  rig.session->on_drained();
  rig.turn();
  EXPECT_EQ(exchange.stream->queued(), 0U);
  EXPECT_GT(rig.wire.out.size(), 50'000U);
}

TEST(H2ServerTest, AnEarlyAnswerResetsTheRestWithNoError) {
  H2Rig rig;
  rig.server.prepare = [](Exchange& exchange) {
    exchange.then_head = [&exchange] { exchange.reply(413, "too large"); };
  };
  const auto id = rig.peer.open(h2::get());
  rig.peer.send(id, "some");
  rig.settle();
  EXPECT_TRUE(rig.peer.response(id).ended);
  EXPECT_EQ(rig.peer.response(id).body, "too large");
  const auto frames = h2::split(rig.heard);
  const h2::Frame* reset = last_of(frames, h2::kRstStream);
  ASSERT_NE(reset, nullptr);
  EXPECT_EQ(reset->word(0), std::uint32_t{NGHTTP2_NO_ERROR});
  EXPECT_EQ(rig.session->open_streams(), 0U);
  EXPECT_EQ(rig.server.last().events.size(), 1U) << "nothing reaches a target behind its answer";
}

TEST(H2ServerTest, ResetsReachTheTargetAndTheClient) {
  H2Rig rig;
  const auto cancelled = rig.peer.request(h2::get());
  rig.settle();
  rig.peer.reset(cancelled);
  rig.settle();
  EXPECT_TRUE(rig.server.last().error.has_value());
  const auto broken = rig.peer.request(h2::get());
  rig.settle();
  rig.server.last().stream->reset(
      {base::ErrorKind::kClosed, base::Origin::kUpstream, false, "the upstream broke off"});
  rig.settle();
  EXPECT_EQ(*rig.peer.response(broken).closed, NGHTTP2_INTERNAL_ERROR);
  EXPECT_FALSE(rig.server.last().error.has_value());
  rig.session->on_lost({base::ErrorKind::kClosed, base::Origin::kClient, false, "gone"});
  EXPECT_EQ(rig.server.session_ends, 0);
}

TEST(H2ServerTest, ALostConnectionResetsEveryExchange) {
  H2Rig rig;
  for (int i = 0; i < 3; ++i) rig.peer.request(h2::get());
  rig.settle();
  rig.session->on_lost({base::ErrorKind::kClosed, base::Origin::kClient, false, "gone"});
  for (const auto& exchange : rig.server.exchanges) EXPECT_EQ(exchange->error->text, "gone");
}

TEST(H2ServerTest, MalformedRequestsAreResetAndReachNobody) {
  const std::pair<const char*, h2::Fields> cases[] = {
      {"connection", {{"connection", "close"}}},
      {"transfer-encoding", {{"transfer-encoding", "chunked"}}},
      {"upgrade", {{"upgrade", "h2c"}}},
      {"te", {{"te", "gzip"}}},
      {"upper case", {{"X-Upper", "1"}}},
      {"late pseudo-field", {{"x", "1"}, {":method", "PUT"}}},
      {"unknown pseudo-field", {{":x", "1"}}},
      {"newline", {{"x", "1\r\nHost: evil"}}},
      {"nul", {{"x", std::string("1\0", 2)}}},
      {"space in a name", {{"x y", "1"}}},
      {"two lengths", {{"content-length", "1"}, {"content-length", "1"}}},
  };
  for (const auto& [name, more] : cases) {
    H2Rig rig;
    auto fields = h2::get();
    fields.insert(fields.end(), more.begin(), more.end());
    const auto frames = h2::split(rig.raw(h2::opening() + h2::headers(1, fields)));
    const h2::Frame* reset = last_of(frames, h2::kRstStream);
    ASSERT_NE(reset, nullptr) << name;
    EXPECT_EQ(reset->word(0), std::uint32_t{NGHTTP2_PROTOCOL_ERROR}) << name;
    EXPECT_TRUE(rig.server.exchanges.empty()) << name;
    EXPECT_TRUE(rig.server.refused.empty()) << name;
  }
}

TEST(H2ServerTest, ALengthThatTheDataDoesNotHaveResets) {
  for (const char* length : {"3", "5"}) {
    H2Rig rig;
    auto fields = h2::get();
    fields.emplace_back("content-length", length);
    rig.raw(h2::opening() + h2::headers(1, fields, false) +
            h2::frame(h2::kData, h2::kEndStream, 1, "four"));
    ASSERT_EQ(rig.server.exchanges.size(), 1U);
    EXPECT_TRUE(rig.server.last().error.has_value()) << length;
    EXPECT_FALSE(rig.server.last().ended) << length;
  }
}

TEST(H2ServerTest, WellFormedButRefusedRequestsGetAPage) {
  struct Case {
    h2::Fields fields;
    int status;
  };
  auto many = h2::get();
  for (int i = 0; i < 101; ++i) many.emplace_back("x", "");
  auto host = h2::get();
  host.emplace_back("host", "b.test");
  const Case cases[] = {{many, 431},
                        {host, 400},
                        {h2::get("/", "u@a.test"), 400},
                        {h2::get("/" + std::string(40'000, 'p')), 414},
                        {{{":method", "CONNECT"}, {":authority", "a.test:1"}}, 501}};
  for (const Case& c : cases) {
    H2Rig rig;
    const auto id = rig.peer.request(c.fields);
    rig.settle();
    EXPECT_EQ(rig.peer.response(id).status, c.status);
    EXPECT_THAT(rig.server.refused, ElementsAre(c.status));
    EXPECT_TRUE(rig.server.exchanges.empty());
    EXPECT_TRUE(rig.peer.done(id));
    const auto next = rig.peer.request(h2::get());
    rig.server.prepare = echo;
    rig.settle();
    EXPECT_EQ(rig.peer.response(next).status, 200) << "the connection stays";
  }
}

TEST(H2ServerTest, AWebSocketLooksLikeAnUpgradeAndItsTunnelOpensWith101) {
  H2Rig rig;
  const auto id = rig.peer.open({{":method", "CONNECT"},
                                 {":protocol", "websocket"},
                                 {":scheme", "http"},
                                 {":path", "/chat"},
                                 {":authority", "a.test"},
                                 {"sec-websocket-version", "13"}});
  rig.settle();  // the server's SETTINGS allow it
  rig.peer.send(id, "early");
  rig.settle();
  Exchange& exchange = rig.server.last();
  ASSERT_NE(exchange.head, nullptr);
  EXPECT_EQ(exchange.head->method(), "GET");
  EXPECT_EQ(exchange.head->target(), "/chat");
  EXPECT_EQ(*exchange.head->find("upgrade"), "websocket");
  EXPECT_EQ(exchange.head->find("sec-websocket-key")->size(), 24U);
  EXPECT_EQ(exchange.events.back(), "end") << "bytes sent ahead wait";
  Head response;
  response.set_status(101);
  response.add("Upgrade", "websocket");
  response.add("Sec-WebSocket-Accept", "x");
  exchange.stream->send_head(response, BodyLength::unknown());
  EXPECT_EQ(exchange.body, "early");
  exchange.stream->send_data(worker::Slice::borrowed("from the server"));
  rig.settle();
  EXPECT_EQ(rig.peer.response(id).status, 200);
  EXPECT_EQ(rig.peer.response(id).field("upgrade"), "");
  EXPECT_EQ(rig.peer.response(id).field("sec-websocket-accept"), "");
  EXPECT_EQ(rig.peer.response(id).body, "from the server");
  rig.peer.end(id);
  rig.settle();
  EXPECT_EQ(exchange.events.back(), "end");
  exchange.stream->send_end();
  rig.settle();
  EXPECT_EQ(*rig.peer.response(id).closed, NGHTTP2_NO_ERROR);
}

TEST(H2ServerTest, AnAnswerThatIsNoUpgradeOpensNoTunnel) {
  for (const auto& [answer, seen] : {std::pair(200, 502), std::pair(403, 403)}) {
    H2Rig rig;
    rig.settle();
    rig.server.prepare = [status = answer](Exchange& exchange) {
      exchange.then_end = [&exchange, status] { exchange.reply(status, "no"); };
    };
    const auto id = rig.peer.open({{":method", "CONNECT"},
                                   {":protocol", "websocket"},
                                   {":scheme", "http"},
                                   {":path", "/"},
                                   {":authority", "a.test"}});
    rig.settle();
    EXPECT_EQ(rig.peer.response(id).status, seen);
    EXPECT_TRUE(rig.peer.done(id));
  }
}

TEST(H2ServerTest, ADrainSaysItTwiceAndEndsBehindTheLastExchange) {
  H2Rig rig;
  const auto id = rig.peer.request(h2::get());
  rig.settle();
  rig.session->start_drain();
  rig.settle();
  EXPECT_EQ(rig.peer.goaways, 2);
  EXPECT_EQ(*rig.peer.goaway, NGHTTP2_NO_ERROR);
  EXPECT_EQ(rig.peer.goaway_last, id);
  EXPECT_EQ(rig.server.session_ends, 0);
  rig.server.last().reply(200, "last");
  rig.settle();
  EXPECT_EQ(rig.peer.response(id).body, "last");
  EXPECT_EQ(rig.server.session_ends, 1);
}

TEST(H2ServerTest, ADrainDoesNotWaitForAClientThatAnswersNoPing) {
  H2Rig rig;
  rig.raw(h2::opening());
  rig.session->start_drain();
  rig.turn();
  EXPECT_EQ(rig.server.session_ends, 0);
  rig.clock.advance(std::chrono::milliseconds(1100));
  rig.turn();
  rig.turn();
  EXPECT_EQ(rig.server.session_ends, 1);
}

TEST(H2ServerTest, ResponseBytesThatFindNoWindowAreGivenUpInTime) {
  H2Rig rig({.stall_deadline = std::chrono::seconds(10)}, {.window = 0});
  rig.server.prepare = echo;
  const auto id = rig.peer.request(h2::get());
  rig.settle();
  EXPECT_EQ(rig.peer.response(id).status, 200);
  for (int i = 0; i < 4; ++i) {
    rig.clock.advance(std::chrono::seconds(5));
    rig.settle();
  }
  EXPECT_EQ(*rig.peer.response(id).closed, NGHTTP2_CANCEL);
  EXPECT_EQ(rig.session->open_streams(), 0U);
}

TEST(H2ServerTest, AFieldSectionHasADeadline) {
  H2Rig rig({.head_deadline = std::chrono::seconds(10)});
  rig.raw(h2::opening() + h2::frame(h2::kHeaders, h2::kEndStream, 1, h2::block(h2::get())));
  EXPECT_EQ(rig.session->phase(), SessionPhase::kReadingHead);
  rig.clock.advance(std::chrono::seconds(11));
  rig.turn();
  rig.turn();
  const auto frames = h2::split(rig.take());
  ASSERT_NE(last_of(frames, h2::kGoaway), nullptr);
  EXPECT_EQ(rig.server.session_ends, 1);
}

TEST(H2ServerTest, MemoryIsChargedAndAllGivenBack) {
  Memory* memory = nullptr;
  H2Rig rig;
  memory = &rig.memory;
  EXPECT_GT(memory->budget.used(), 0);
  rig.server.prepare = echo;
  for (int i = 0; i < 40; ++i) rig.peer.request(h2::get());
  rig.settle();
  EXPECT_EQ(rig.session->open_streams(), 0U);
  EXPECT_LT(memory->budget.used(), 40'000) << "idle";
  rig.session.reset();
  EXPECT_EQ(memory->budget.used(), 0);
}

}  // namespace
}  // namespace weir::codec
