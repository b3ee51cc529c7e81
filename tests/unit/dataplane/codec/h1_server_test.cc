#include <gtest/gtest.h>

#include "tests/unit/dataplane/codec/scripted.h"

namespace weir::codec {
namespace {

constexpr std::string_view kGet = "GET /a?b HTTP/1.1\r\nHost: h\r\nX-A: 1\r\n\r\n";

TEST(H1Server, AnswersARequestAndKeepsTheConnection) {
  ServerRig rig;
  rig.server.answer = true;
  rig.session->on_bytes(kGet);
  EXPECT_EQ(rig.story(), "head GET /a?b @h | Host: h | X-A: 1 body=none\nend\n");
  EXPECT_EQ(rig.wire.out, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_EQ(rig.server.session_ends, 0);
  EXPECT_EQ(rig.session->phase(), SessionPhase::kIdle);
  EXPECT_EQ(rig.memory.buffers.chunks_taken(), 0U) << "an idle session owns no buffer";
}

TEST(H1Server, PipelinedRequestsWaitForTheResponseBefore) {
  ServerRig rig;
  rig.session->on_bytes(std::string(kGet) + std::string(kGet));
  ASSERT_EQ(rig.server.requests.size(), 1U);
  rig.server.reply(200, "1");
  ASSERT_EQ(rig.server.requests.size(), 2U);
  rig.server.reply(200, "2");
  EXPECT_EQ(rig.session->phase(), SessionPhase::kIdle);
}

TEST(H1Server, StopsReadingWhenTooMuchIsPipelined) {
  ServerRig rig;
  rig.session->on_bytes(kGet);
  rig.session->on_bytes(std::string(20'000, 'x'));
  EXPECT_FALSE(rig.wire.reading);
  rig.server.reply(200, "1");
  EXPECT_TRUE(rig.wire.reading);
}

TEST(H1Server, RestsInABurstUntilItsAnswersHaveBeenFlushed) {
  loop::Loop loop;
  Memory memory;
  SessionContext context = memory.context();
  context.loop = &loop;
  ScriptedWire wire;
  ScriptedServer server;
  server.answer = true;
  const auto session = make_h1_server(context, wire, server);
  std::string burst;
  for (int i = 0; i < 100; ++i) burst += kGet;
  session->on_bytes(burst);
  EXPECT_EQ(server.requests.size(), 16U) << "their exchanges live until the iteration ends";
  EXPECT_EQ(session->phase(), SessionPhase::kReadingHead);
  EXPECT_FALSE(session->can_park());
  session->on_read_closed();
  EXPECT_EQ(server.session_ends, 0) << "the client closed behind complete requests";
  loop.run_once(base::Duration::zero());
  EXPECT_EQ(server.requests.size(), 100U);
  EXPECT_EQ(server.session_ends, 1);
}

TEST(H1Server, ARestIsOverWithItsSession) {
  loop::Loop loop;
  Memory memory;
  SessionContext context = memory.context();
  context.loop = &loop;
  ScriptedWire wire;
  ScriptedServer server;
  server.answer = true;
  auto session = make_h1_server(context, wire, server);
  std::string burst;
  for (int i = 0; i < 20; ++i) burst += kGet;
  session->on_bytes(burst);
  session.reset();
  loop.run_once(base::Duration::zero());
  EXPECT_EQ(server.requests.size(), 16U);
}

TEST(H1Server, DecidesWhetherTheConnectionStays) {
  struct Case {
    std::string_view name, request;
    bool drain, stays;
    std::string_view says;
  };
  for (const Case& c : {
           Case{"1.1 stays", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", false, true, ""},
           Case{"1.1 with close", "GET / HTTP/1.1\r\nHost: h\r\nConnection: x, Close\r\n\r\n",
                false, false, "Connection: close"},
           Case{"1.0 closes", "GET / HTTP/1.0\r\n\r\n", false, false, "Connection: close"},
           Case{"1.0 with keep-alive", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", false,
                true, "Connection: keep-alive"},
           Case{"drain", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", true, false, "Connection: close"},
       }) {
    SCOPED_TRACE(c.name);
    ServerRig rig;
    rig.session->on_bytes(c.request);
    if (c.drain) rig.session->start_drain();
    rig.server.reply(200, "x");
    EXPECT_EQ(rig.server.session_ends, c.stays ? 0 : 1);
    EXPECT_NE(rig.wire.out.find(c.says), std::string::npos);
    EXPECT_EQ(rig.wire.out.find("Connection:") == std::string::npos, c.says.empty());
  }
}

TEST(H1Server, FramesTheResponseByItsLengthAndTheRequest) {
  struct Case {
    std::string_view name, request;
    int status;
    BodyLength length;
    std::string_view want;
  };
  const auto get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  const auto old = "GET / HTTP/1.0\r\n\r\n";
  const auto head = "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n";
  for (const Case& c : {
           Case{"known", get, 200, BodyLength::known(4),
                "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody"},
           Case{"none", get, 200, BodyLength::none(),
                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
           Case{"unknown is chunked", get, 200, BodyLength::unknown(),
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"},
           Case{"unknown to 1.0 is until close", old, 200, BodyLength::unknown(),
                "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nbody"},
           Case{"HEAD with a known length", head, 200, BodyLength::known(4),
                "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"},
           Case{"HEAD with an unknown one", head, 200, BodyLength::unknown(),
                "HTTP/1.1 200 OK\r\n\r\n"},
           Case{"204 says no length", get, 204, BodyLength::none(),
                "HTTP/1.1 204 No Content\r\n\r\n"},
           Case{"304", get, 304, BodyLength::none(), "HTTP/1.1 304 Not Modified\r\n\r\n"},
       }) {
    SCOPED_TRACE(c.name);
    ServerRig rig;
    rig.session->on_bytes(c.request);
    Head reply;
    reply.set_status(c.status);
    rig.server.stream->send_head(reply, c.length);
    if (c.length.kind != BodyLength::Kind::kNone) {
      rig.server.stream->send_data(worker::Slice::borrowed("body"));
      rig.server.stream->send_end();
    }
    EXPECT_EQ(rig.wire.out, c.want);
    EXPECT_EQ(rig.session->open_streams(), 0U);
    EXPECT_EQ(rig.memory.buffers.chunks_taken(), 0U);
  }
}

TEST(H1Server, WritesItsOwnConnectionFieldsAndNoneOfTheHeads) {
  ServerRig rig;
  rig.session->on_bytes(kGet);
  Head head;
  head.set_status(200, "Fine");
  for (const auto& [name, value] :
       std::vector<std::pair<std::string_view, std::string_view>>{{"Connection", "close"},
                                                                  {"Transfer-Encoding", "gzip"},
                                                                  {"content-length", "99"},
                                                                  {"Keep-Alive", "x"},
                                                                  {"Upgrade", "h2c"},
                                                                  {"X-B", "2"}}) {
    head.add(name, value);
  }
  rig.server.stream->send_head(head, BodyLength::known(1));
  EXPECT_EQ(rig.wire.out, "HTTP/1.1 200 Fine\r\nX-B: 2\r\nContent-Length: 1\r\n\r\n");
}

TEST(H1Server, HeadAnswerKeepsTheUpstreamsLength) {
  ServerRig rig;
  rig.session->on_bytes("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
  Head head;
  head.set_status(200);
  head.add("Content-Length", "77");
  rig.server.stream->send_head(head, BodyLength::none());
  EXPECT_EQ(rig.wire.out, "HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n");
}

TEST(H1Server, SendsInterimHeadsButNotToOldClients) {
  for (const bool is_old : {false, true}) {
    ServerRig rig;
    rig.session->on_bytes(is_old ? "POST / HTTP/1.0\r\nContent-Length: 1\r\n\r\n"
                                 : "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n");
    Head interim;
    interim.set_status(100);
    rig.server.stream->send_interim(interim);
    EXPECT_EQ(rig.wire.out, is_old ? "" : "HTTP/1.1 100 Continue\r\n\r\n");
  }
}

TEST(H1Server, SendsTrailersBehindChunksAndDropsForbiddenOnes) {
  ServerRig rig;
  rig.session->on_bytes(kGet);
  Head head;
  head.set_status(200);
  rig.server.stream->send_head(head, BodyLength::unknown());
  rig.server.stream->send_data(worker::Slice::borrowed("0123456789abcdef"));
  Head trailers;
  trailers.add("X-Sum", "1");
  trailers.add("Content-Length", "5");
  rig.server.stream->send_trailers(trailers);
  EXPECT_TRUE(rig.wire.out.ends_with("\r\n\r\n10\r\n0123456789abcdef\r\n0\r\nX-Sum: 1\r\n\r\n"))
      << rig.wire.out;
}

TEST(H1Server, EarlyResponseClosesUnlessTheRestIsAtHand) {
  struct Case {
    std::string_view name, bytes;
    bool stays;
  };
  for (const Case& c : {
           Case{"body missing", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab", false},
           Case{"body at hand", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nabcd",
                true},
           Case{"chunked",
                "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", false},
       }) {
    SCOPED_TRACE(c.name);
    ServerRig rig;
    rig.server.prepare = [&rig](RecordingTarget& target) {
      target.then_head = [&rig] { rig.server.reply(413, "no"); };
    };
    rig.session->on_bytes(c.bytes);
    EXPECT_EQ(rig.server.session_ends, c.stays ? 0 : 1);
    EXPECT_EQ(rig.wire.out.find("Connection: close") == std::string::npos, c.stays);
    EXPECT_TRUE(rig.server.last().body.empty()) << "the stream is over with its response";
    if (!c.stays) continue;
    rig.server.prepare = nullptr;
    rig.session->on_bytes(kGet);
    EXPECT_EQ(rig.server.requests.size(), 2U);
  }
}

TEST(H1Server, PausedBodyIsKeptAndReadingStops) {
  ServerRig rig;
  rig.server.prepare = [&rig](RecordingTarget& target) {
    target.then_head = [&rig] { rig.server.stream->pause(); };
  };
  rig.session->on_bytes("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab");
  EXPECT_FALSE(rig.wire.reading);
  rig.session->on_bytes("cd");
  EXPECT_EQ(rig.server.last().body, "");
  EXPECT_EQ(rig.memory.buffers.chunks_taken(), 1U);
  rig.server.stream->resume();
  EXPECT_EQ(rig.server.last().body, "abcd");
  EXPECT_TRUE(rig.server.last().ended);
  EXPECT_TRUE(rig.wire.reading);
  EXPECT_EQ(rig.memory.buffers.chunks_taken(), 0U);
}

TEST(H1Server, TunnelGetsTheBytesThatWaitedForThe101) {
  ServerRig rig;
  rig.session->on_bytes(
      "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly");
  EXPECT_EQ(rig.server.last().body, "");
  Head head;
  head.set_status(101);
  head.add("Upgrade", "websocket");
  rig.server.stream->send_head(head, BodyLength::unknown());
  rig.session->on_bytes(" late");
  EXPECT_EQ(rig.server.last().body, "early late");
  rig.server.stream->send_data(worker::Slice::borrowed("raw"));
  EXPECT_EQ(
      rig.wire.out,
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nraw");
  rig.session->on_read_closed();
  EXPECT_EQ(rig.server.last().events.back(), "end");
  rig.server.stream->send_end();
  EXPECT_EQ(rig.server.session_ends, 1);
}

TEST(H1Server, BytesBehindARefusedUpgradeAreNoRequest) {
  ServerRig rig;
  rig.session->on_bytes(
      "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
      "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n");
  rig.server.reply(403, "no");
  EXPECT_EQ(rig.server.requests.size(), 1U);
  EXPECT_EQ(rig.server.session_ends, 1);
}

TEST(H1Server, ClientThatClosesItsSideStillGetsTheResponse) {
  ServerRig rig;
  rig.session->on_bytes(kGet);
  rig.session->on_read_closed();
  EXPECT_EQ(rig.server.session_ends, 0);
  rig.server.reply(200, "x");
  EXPECT_NE(rig.wire.out.find("Connection: close"), std::string::npos);
  EXPECT_EQ(rig.server.session_ends, 1);
}

TEST(H1Server, AClientIsDoneOnlyWhenItSaidSoAndAllOfItsBytesWereRead) {
  const struct {
    std::string_view request;
    bool is_done;
  } cases[] = {
      {"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", true},
      {"GET / HTTP/1.0\r\nHost: h\r\n\r\n", true},
      {"GET / HTTP/1.1\r\nHost: h\r\n\r\n", false},  // closed by our own drain
      {"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\nGET", false},
      {"POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 1\r\n\r\na", false},
      {"GET / HTTP/1.1\r\nHost : h\r\nConnection: close\r\n\r\n", false},  // refused
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.request);
    ServerRig rig;
    rig.session->on_bytes(c.request);
    if (rig.server.refused.empty()) {
      rig.session->start_drain();
      rig.server.reply(200, "x");
    }
    EXPECT_EQ(rig.server.session_ends, 1);
    EXPECT_EQ(rig.session->client_is_done(), c.is_done);
  }
}

TEST(H1Server, CloseInsideABodyResetsAndALostConnectionToo) {
  for (const bool is_lost : {false, true}) {
    ServerRig rig;
    rig.session->on_bytes("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab");
    if (is_lost) {
      rig.session->on_lost({base::ErrorKind::kClosed, base::Origin::kClient, false, "reset"});
    } else {
      rig.session->on_read_closed();
    }
    ASSERT_TRUE(rig.server.last().error.has_value());
    EXPECT_EQ(rig.server.last().error->kind, base::ErrorKind::kClosed);
    EXPECT_EQ(rig.server.session_ends, is_lost ? 0 : 1);
  }
}

TEST(H1Server, BrokenChunkResetsTheExchangeAndIsAnsweredOnce) {
  for (const bool has_answered : {false, true}) {
    ServerRig rig;
    rig.session->on_bytes(
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
    if (has_answered) {
      Head head;
      head.set_status(200);
      rig.server.stream->send_head(head, BodyLength::unknown());
    }
    rig.session->on_bytes("zz\r\n");
    EXPECT_TRUE(rig.server.last().error.has_value());
    EXPECT_EQ(rig.server.refused.size(), has_answered ? 0U : 1U);
    EXPECT_EQ(rig.server.session_ends, 1);
    rig.session->on_bytes(kGet);
    EXPECT_EQ(rig.server.requests.size(), 1U);
  }
}

TEST(H1Server, ReportsBackPressureOnceTheQueueRanLow) {
  ServerRig rig;
  rig.session->on_bytes(kGet);
  Head head;
  head.set_status(200);
  rig.server.stream->send_head(head, BodyLength::unknown());
  rig.session->on_drained();
  rig.wire.backlog = MessageStream::kHighMark + 1;
  rig.server.stream->send_data(worker::Slice::borrowed("x"));
  rig.session->on_drained();
  rig.session->on_drained();
  EXPECT_EQ(rig.story(), "head GET /a?b @h | Host: h | X-A: 1 body=none\nend\nwritable\n");
}

TEST(H1Server, BodyThatDoesNotKeepItsPromiseClosesTheConnection) {
  for (const std::string_view body : {"toolong", "x"}) {
    ServerRig rig;
    rig.session->on_bytes(kGet);
    Head head;
    head.set_status(200);
    rig.server.stream->send_head(head, BodyLength::known(4));
    rig.server.stream->send_data(worker::Slice::borrowed(body));
    rig.server.stream->send_end();
    EXPECT_EQ(rig.server.session_ends, 1);
    EXPECT_EQ(rig.server.last().error->origin, base::Origin::kSelf);
    EXPECT_EQ(rig.wire.out.find("toolong"), std::string::npos);
  }
}

TEST(H1Server, DrainEndsAnIdleSessionAtOnceAndPhasesAreTold) {
  ServerRig rig;
  EXPECT_EQ(rig.session->phase(), SessionPhase::kIdle);
  rig.session->on_bytes("GET");
  EXPECT_EQ(rig.session->phase(), SessionPhase::kReadingHead);
  rig.session->start_drain();
  EXPECT_EQ(rig.server.session_ends, 0);
  rig.session->on_bytes(" / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(rig.session->phase(), SessionPhase::kBusy);
  rig.server.reply(200, "x");
  EXPECT_EQ(rig.server.session_ends, 1);
  ServerRig idle;
  idle.session->start_drain();
  EXPECT_EQ(idle.server.session_ends, 1);
}

TEST(H1Server, ResetOfAHalfDoneResponseEndsTheSession) {
  ServerRig rig;
  rig.session->on_bytes(kGet);
  rig.server.stream->reset({});
  EXPECT_EQ(rig.server.session_ends, 1);
  EXPECT_EQ(rig.wire.out, "");
  EXPECT_FALSE(rig.server.last().error.has_value());
}

}  // namespace
}  // namespace weir::codec
