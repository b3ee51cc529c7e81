#include "dataplane/codec/h2_client.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>

#include "common/loop/loop.h"
#include "tests/unit/dataplane/codec/h2_frames.h"
#include "tests/unit/dataplane/codec/scripted.h"

namespace weir::codec {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

struct Client final : ClientTarget {
  int streams_over = 0;
  int session_ends = 0;
  void on_stream_over() override { ++streams_over; }
  void on_session_end() override { ++session_ends; }
};

class H2ClientTest : public ::testing::Test {
 protected:
  SessionContext context() {
    SessionContext out = memory.context();
    out.loop = &loop;
    return out;
  }
  void run() {
    for (int i = 0; i < 3; ++i) loop.run_once(base::Duration::zero());
  }
  // Frames from the upstream, then what the client says to them.
  std::vector<std::string> say(const std::string& bytes) {
    session->on_bytes(bytes);
    return heard();
  }
  std::vector<std::string> heard() {
    run();
    return reader.read(wire.out);
  }
  void greet(std::uint32_t max_streams = 100) {
    say(settings({{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, max_streams}}));
  }
  static Head request(std::string_view method = "GET", std::string_view target = "/a?b") {
    Head head;
    head.set_method(method);
    head.set_target(target);
    head.set_authority("shop.test");
    return head;
  }
  MessageStream& start(RecordingTarget& target, const Head& head,
                       BodyLength length = BodyLength::none()) {
    MessageStream& stream = session->open(target);
    stream.send_head(head, length);
    return stream;
  }
  static Fields ok(Fields more = {}) {
    more.insert(more.begin(), {":status", "200"});
    return more;
  }

  base::ManualClock clock;
  loop::Loop loop{clock};
  Memory memory;
  ScriptedWire wire;
  Client client;
  H2ClientOptions options;
  FrameReader reader;
  RecordingTarget first, second, third;
  std::unique_ptr<ClientSession> session = make_h2_client(context(), wire, client, options);
};

TEST_F(H2ClientTest, ARequestGoesOutWithoutConnectionFieldsAndItsResponseComesIn) {
  greet();
  Head head = request();
  head.add("Connection", "x-private");
  head.add("Transfer-Encoding", "chunked");
  head.add("TE", "trailers");
  head.add("X-Name", "Value");
  start(first, head);
  EXPECT_THAT(heard(), ElementsAre("HEADERS 1 end | :method: GET | :scheme: http | :authority: "
                                   "shop.test | :path: /a?b | x-name: Value | te: trailers"));
  say(headers(1, ok({{"content-length", "5"}, {"x-two", "2"}})) + data(1, "hel") +
      data(1, "lo", true));
  EXPECT_THAT(first.events,
              ElementsAre("head 200  | content-length: 5 | x-two: 2 body=5", "data hello", "end"));
  EXPECT_EQ(session->open_streams(), 0U);
  EXPECT_GE(client.streams_over, 1);
}

TEST_F(H2ClientTest, BodyTrailersAndInterimHeadsPassBothWays) {
  greet();
  MessageStream& stream = start(first, request("POST"), BodyLength::unknown());
  stream.send_data(worker::Slice::borrowed("abc"));
  Head trailers;
  trailers.add("x-sum", "9");
  trailers.add("content-length", "9");
  stream.send_trailers(trailers);
  EXPECT_THAT(heard(),
              ElementsAre(HasSubstr(":method: POST"), "DATA 1 abc", "HEADERS 1 end | x-sum: 9"));
  say(headers(1, {{":status", "103"}, {"link", "x"}}) + headers(1, ok()) + data(1, "r") +
      headers(1, {{"grpc-status", "0"}}, true));
  EXPECT_THAT(first.events, ElementsAre("interim 103  | link: x", "head 200  body=unknown",
                                        "data r", "trailers   @ | grpc-status: 0", "end"));
}

TEST_F(H2ClientTest, SeveralStreamsShareTheConnectionUpToWhatThePeerAllows) {
  EXPECT_TRUE(session->can_open());
  start(first, request());
  EXPECT_FALSE(session->can_open()) << "before its SETTINGS one must do";
  EXPECT_FALSE(session->settled());
  greet(2);
  EXPECT_TRUE(session->settled());
  EXPECT_EQ(session->most_streams(), 2U);
  start(second, request());
  EXPECT_FALSE(session->can_open());
  heard();
  say(headers(3, ok(), true));
  EXPECT_EQ(second.events.back(), "end");
  EXPECT_TRUE(session->can_open());
  say(headers(1, ok(), true));
  EXPECT_EQ(first.events.back(), "end");
}

TEST_F(H2ClientTest, OurOwnLimitHoldsWhateverThePeerAllows) {
  options.max_streams = 1;
  session = make_h2_client(context(), wire, client, options);
  greet(1000);
  EXPECT_EQ(session->most_streams(), 1U);
}

TEST_F(H2ClientTest, GoAwayLeavesTheOldStreamsAndGivesBackTheNewOnesAsNotProcessed) {
  greet();
  start(first, request("POST"), BodyLength::unknown());
  start(second, request("POST"), BodyLength::unknown());
  heard();
  say(goaway(1));
  EXPECT_FALSE(session->can_open());
  ASSERT_TRUE(second.error.has_value());
  EXPECT_TRUE(second.error->retryable);
  EXPECT_FALSE(first.error.has_value());
  EXPECT_EQ(client.session_ends, 0);
  say(headers(1, ok(), true));
  EXPECT_EQ(first.events.back(), "end");
  run();
  EXPECT_EQ(client.session_ends, 1);
}

TEST_F(H2ClientTest, ARefusedStreamMayGoElsewhereAndAResetOneMayNot) {
  struct Case {
    std::uint32_t code;
    bool retryable;
  };
  for (const Case& c : {Case{NGHTTP2_REFUSED_STREAM, true}, Case{NGHTTP2_INTERNAL_ERROR, false},
                        Case{NGHTTP2_CANCEL, false}, Case{NGHTTP2_NO_ERROR, false}}) {
    RecordingTarget target;
    session = make_h2_client(context(), wire, client, options);
    FrameReader fresh;
    greet();
    start(target, request("POST"), BodyLength::unknown());
    run();
    wire.out.clear();
    session->on_bytes(reset(1, c.code));
    run();
    ASSERT_TRUE(target.error.has_value()) << c.code;
    EXPECT_EQ(target.error->retryable, c.retryable) << c.code;
    EXPECT_EQ(target.error->origin, base::Origin::kUpstream);
    EXPECT_EQ(target.error->kind == base::ErrorKind::kClosed, c.retryable) << c.code;
    wire.out.clear();
  }
}

TEST_F(H2ClientTest, RefusedBehindAResponseHeadIsNeverRetryable) {
  greet();
  start(first, request());
  heard();
  say(headers(1, ok()) + reset(1, NGHTTP2_REFUSED_STREAM));
  ASSERT_TRUE(first.error.has_value());
  EXPECT_FALSE(first.error->retryable);
}

TEST_F(H2ClientTest, ALostConnectionIsRetryableOnlyForWhatWasNotSent) {
  greet();
  start(first, request());
  heard();
  start(second, request());
  session->on_lost({base::ErrorKind::kClosed, base::Origin::kUpstream, false, "gone"});
  ASSERT_TRUE(first.error.has_value() && second.error.has_value());
  EXPECT_FALSE(first.error->retryable);
  EXPECT_EQ(first.error->kind, base::ErrorKind::kClosed);
  EXPECT_TRUE(second.error->retryable);
}

TEST_F(H2ClientTest, ResetOfOursIsCancelAndFreesThePlace) {
  greet(1);
  MessageStream& stream = start(first, request());
  heard();
  stream.reset({base::ErrorKind::kClosed, base::Origin::kSelf, false, "gone"});
  EXPECT_THAT(heard(), ElementsAre("RST_STREAM 1 8"));
  EXPECT_TRUE(session->can_open());
  EXPECT_THAT(first.events, IsEmpty());
  // A stream that was given up before its head was sent leaves nothing on the wire.
  session->open(second).reset({base::ErrorKind::kClosed, base::Origin::kSelf, false, "gone"});
  EXPECT_TRUE(session->can_open());
  start(third, request()).reset({base::ErrorKind::kClosed, base::Origin::kSelf, false, "gone"});
  EXPECT_THAT(heard(), IsEmpty());
  EXPECT_TRUE(session->can_open());
}

TEST_F(H2ClientTest, AResponseThatEndsEarlyCancelsTheRestOfTheRequest) {
  greet();
  start(first, request("POST"), BodyLength::unknown());
  heard();
  EXPECT_THAT(say(headers(1, {{":status", "413"}}, true)), ElementsAre("RST_STREAM 1 8"));
  EXPECT_EQ(first.events.back(), "end");
  EXPECT_EQ(session->open_streams(), 0U);
}

TEST_F(H2ClientTest, BodiesThatMustNotBeAreNone) {
  greet();
  start(first, request("HEAD"));
  start(second, request());
  start(third, request());
  heard();
  say(headers(1, ok({{"content-length", "5"}}), true) + headers(3, {{":status", "204"}}, true) +
      headers(5, {{":status", "304"}, {"content-length", "7"}}, true));
  EXPECT_THAT(first.events, ElementsAre("head 200  | content-length: 5 body=none", "end"));
  EXPECT_THAT(second.events, ElementsAre("head 204  body=none", "end"));
  EXPECT_THAT(third.events, ElementsAre("head 304  | content-length: 7 body=none", "end"));
}

TEST_F(H2ClientTest, ALengthThatTheDataDoesNotHoldBreaksTheStreamAlone) {
  greet();
  start(first, request());
  start(second, request());
  heard();
  say(headers(1, ok({{"content-length", "5"}})) + data(1, "abc", true));
  ASSERT_TRUE(first.error.has_value());
  EXPECT_FALSE(first.error->retryable);
  EXPECT_FALSE(first.ended);
  say(headers(3, ok({{"content-length", "2"}})) + data(3, "abc"));
  ASSERT_TRUE(second.error.has_value());
  EXPECT_EQ(client.session_ends, 0);
  EXPECT_TRUE(session->can_open());
}

TEST_F(H2ClientTest, APausedStreamKeepsItsWindowShutAndTheOthersRun) {
  greet();
  MessageStream& stream = start(first, request());
  start(second, request());
  heard();
  stream.pause();
  say(headers(1, ok()) + data(1, "held") + headers(3, ok()) + data(3, "free", true));
  EXPECT_EQ(first.body, "");
  EXPECT_EQ(second.body, "free");
  EXPECT_TRUE(wire.reading) << "one slow stream must not stop the connection";
  say(data(1, " back", true));
  stream.resume();
  run();
  EXPECT_EQ(first.body, "held back");
  EXPECT_EQ(first.events.back(), "end");
}

TEST_F(H2ClientTest, ThePeersWindowHoldsBackTheBodyAndItsCreditLetsItGo) {
  say(settings({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 4}}));
  MessageStream& stream = start(first, request("POST"), BodyLength::unknown());
  stream.send_data(worker::Slice::borrowed("abcdefgh"));
  stream.send_end();
  EXPECT_THAT(heard(), ElementsAre(StartsWith("HEADERS 1"), "DATA 1 abcd"));
  EXPECT_EQ(stream.queued(), 4U);
  EXPECT_THAT(say(window_update(1, 10)), ElementsAre("DATA 1 end efgh"));
}

TEST_F(H2ClientTest, PingIsAnswered) {
  greet();
  EXPECT_THAT(say(frame(NGHTTP2_PING, 0, 0, "12345678")), ElementsAre("PING ack 12345678"));
}

// Row 9: an upstream is no friend.
TEST_F(H2ClientTest, FloodsOfControlFramesEndTheConnection) {
  const std::string floods[] = {frame(NGHTTP2_PING, 0, 0, "12345678"), settings(),
                                frame(NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0, "12345678"),
                                window_update(0, 1), frame(0x77, 0, 0, "?")};
  for (const std::string& flood : floods) {
    client = {};
    session = make_h2_client(context(), wire, client, options);
    greet();
    std::string many;
    for (int i = 0; i < 500; ++i) many += flood;
    int rounds = 0;
    while (client.session_ends == 0 && rounds < 100) {
      session->on_bytes(many);
      run();
      wire.out.clear();
      ++rounds;
    }
    EXPECT_EQ(client.session_ends, 1) << static_cast<int>(flood[3]);
    EXPECT_LT(rounds, 10) << static_cast<int>(flood[3]);
  }
}

// Forbidden by our SETTINGS, also before the peer acknowledges them.
TEST_F(H2ClientTest, APushEndsTheConnection) {
  greet();
  start(first, request());
  heard();
  say(frame(NGHTTP2_PUSH_PROMISE, NGHTTP2_FLAG_END_HEADERS, 1, number(2, 4) + "\x82\x84\x86"));
  EXPECT_EQ(client.session_ends, 1);
  ASSERT_TRUE(first.error.has_value());
  EXPECT_FALSE(first.error->retryable);
}

TEST_F(H2ClientTest, PingsThatFollowTheDataAreNoFlood) {
  greet();
  start(first, request());
  heard();
  say(headers(1, ok()));
  for (int i = 0; i < 20'000; ++i) {
    session->on_bytes(data(1, "x") + frame(NGHTTP2_PING, 0, 0, "12345678"));
    if (i % 100 == 0) heard();
  }
  EXPECT_EQ(client.session_ends, 0);
  EXPECT_EQ(first.body.size(), 20'000U);
}

TEST_F(H2ClientTest, FieldSectionsBeyondTheLimitsAreRefused) {
  memory.limits.fields = 10;
  memory.limits.head_bytes = 4'096;
  session = make_h2_client(context(), wire, client, options);
  greet();
  start(first, request());
  start(second, request());
  heard();
  Fields many = ok();
  for (int i = 0; i < 11; ++i) many.push_back({"x-" + std::to_string(i), "v"});
  say(headers(1, many, true));
  ASSERT_TRUE(first.error.has_value());
  EXPECT_EQ(first.error->kind, base::ErrorKind::kProtocol);
  say(headers(3, ok({{"x-long", std::string(5'000, 'a')}}), true));
  ASSERT_TRUE(second.error.has_value());
  EXPECT_EQ(client.session_ends, 0);
}

TEST_F(H2ClientTest, ManyInterimHeadsAndASwitchOfProtocolsAreRefused) {
  greet();
  start(first, request());
  start(second, request());
  heard();
  for (int i = 0; i < 17; ++i) say(headers(1, {{":status", "103"}}));
  ASSERT_TRUE(first.error.has_value());
  say(headers(3, {{":status", "101"}}));
  ASSERT_TRUE(second.error.has_value());
}

TEST_F(H2ClientTest, AnUpstreamThatSpeaksHttp1IsNamed) {
  start(first, request());
  heard();
  say("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
  run();
  ASSERT_TRUE(first.error.has_value());
  EXPECT_THAT(first.error->text, HasSubstr("does not speak HTTP/2"));
  EXPECT_FALSE(first.error->retryable);
  EXPECT_EQ(client.session_ends, 1);
}

TEST_F(H2ClientTest, ManyExchangesLeaveNoMemoryBehind) {
  greet();
  const auto round = [this] {
    RecordingTarget target;
    start(target, request());
    const auto lines = heard();
    ASSERT_EQ(lines.size(), 1U);
    const auto id = static_cast<std::uint32_t>(std::stoul(lines[0].substr(8)));
    say(headers(id, ok()) + data(id, "ok", true));
    ASSERT_EQ(target.body, "ok");
  };
  for (int i = 0; i < 50; ++i) round();
  const std::size_t before = memory.buffers.chunks_taken();
  for (int i = 0; i < 500; ++i) round();
  EXPECT_EQ(memory.buffers.chunks_taken(), before);
  EXPECT_EQ(session->open_streams(), 0U);
}

}  // namespace
}  // namespace weir::codec
