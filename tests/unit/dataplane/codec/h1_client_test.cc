#include <gtest/gtest.h>

#include "tests/unit/dataplane/codec/scripted.h"

namespace weir::codec {
namespace {

TEST(H1Client, SendsARequestReadsTheResponseAndIsUsedAgain) {
  ClientRig rig;
  rig.send("GET");
  EXPECT_EQ(rig.wire.out, "GET / HTTP/1.1\r\nHost: up\r\n\r\n");
  rig.session->on_bytes("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: y\r\n\r\nok");
  EXPECT_EQ(rig.story(), "head 200 OK | Content-Length: 2 | X: y body=2\ndata ok\nend\n");
  EXPECT_EQ(rig.client.streams_over, 1);
  EXPECT_TRUE(rig.session->can_open());
  EXPECT_EQ(rig.memory.buffers.chunks_taken(), 0U);
}

TEST(H1Client, FramesTheRequestAnew) {
  struct Case {
    std::string_view name, method;
    BodyLength length;
    std::string_view want;
  };
  for (const Case& c : {
           Case{"GET", "GET", BodyLength::none(), "\r\nHost: up\r\n\r\n"},
           Case{"empty POST", "POST", BodyLength::none(), "\r\nContent-Length: 0\r\n\r\n"},
           Case{"known", "PUT", BodyLength::known(2), "\r\nContent-Length: 2\r\n\r\nab"},
           Case{"unknown", "PUT", BodyLength::unknown(),
                "\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"},
       }) {
    SCOPED_TRACE(c.name);
    ClientRig rig;
    rig.send(c.method, c.length);
    if (c.length.kind != BodyLength::Kind::kNone) {
      rig.stream->send_data(worker::Slice::borrowed("ab"));
      rig.stream->send_end();
    }
    EXPECT_TRUE(rig.wire.out.ends_with(c.want)) << rig.wire.out;
  }
}

struct ResponseCase {
  std::string_view name, method, bytes;
  bool closed;  // FIN behind the bytes
  std::string_view story;
  bool reused;
};

void check_response(const ResponseCase& c, std::size_t split) {
  ClientRig rig;
  rig.send(c.method);
  if (split == 0) {
    for (const char byte : c.bytes) rig.session->on_bytes(std::string(1, byte));
  } else {
    rig.session->on_bytes(std::string(c.bytes.substr(0, split)));
    rig.session->on_bytes(std::string(c.bytes.substr(split)));
  }
  if (c.closed) rig.session->on_read_closed();
  EXPECT_EQ(rig.story(), c.story) << "split at " << split;
  EXPECT_EQ(rig.session->can_open(), c.reused) << "split at " << split;
  EXPECT_EQ(rig.client.session_ends, c.reused ? 0 : 1) << "split at " << split;
  EXPECT_EQ(rig.memory.buffers.chunks_taken(), 0U) << "split at " << split;
}

TEST(H1Client, ReadsResponsesTheSameWayAtEverySplit) {
  for (const ResponseCase& c : {
           ResponseCase{"until close", "GET", "HTTP/1.1 200 OK\r\n\r\nab", true,
                        "head 200 OK body=unknown\ndata ab\nend\n", false},
           ResponseCase{"chunked with trailers", "GET",
                        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                        "1;x=y\r\na\r\n1\r\nb\r\n0\r\nX-T: 1\r\nHost: evil\r\n\r\n",
                        false,
                        "head 200 OK | Transfer-Encoding: chunked body=unknown\ndata ab\n"
                        "trailers   @ | X-T: 1\nend\n",
                        true},
           ResponseCase{"HEAD", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", false,
                        "head 200 OK | Content-Length: 9 body=none\nend\n", true},
           ResponseCase{"304 with a length", "GET",
                        "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", false,
                        "head 304 Not Modified | Content-Length: 9 body=none\nend\n", true},
           ResponseCase{"204 that speaks of a body", "GET",
                        "HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n", false,
                        "head 204 No Content | Content-Length: 9 body=none\nend\n", false},
           ResponseCase{"no reason and no space", "GET",
                        "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", false,
                        "head 200  | Content-Length: 0 body=none\nend\n", true},
           ResponseCase{"HTTP/1.0 closes", "GET", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
                        false, "head 200 OK | Content-Length: 0 body=none\nend\n", false},
           ResponseCase{"Connection: close", "GET",
                        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", false,
                        "head 200 OK | Content-Length: 0 | Connection: close body=none\nend\n",
                        false},
           ResponseCase{"interim heads", "GET",
                        "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n"
                        "Content-Length: 1\r\n\r\na",
                        false,
                        "interim 103 Early Hints | Link: x\nhead 200 OK | Content-Length: 1 "
                        "body=1\ndata a\nend\n",
                        true},
       }) {
    SCOPED_TRACE(c.name);
    for (std::size_t split = 0; split <= c.bytes.size(); ++split) check_response(c, split);
  }
}

TEST(H1Client, RefusesHostileResponsesTheSameWayAtEverySplit) {
  struct Case {
    std::string_view name, bytes, text;
  };
  const std::string flood = [] {
    std::string out;
    for (int i = 0; i < 17; ++i) out += "HTTP/1.1 102 P\r\n\r\n";
    return out;
  }();
  for (const Case& c : {
           Case{"CL and TE",
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                "Transfer-Encoding: together with Content-Length"},
           Case{"double CL", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
                "Content-Length: more than one line"},
           Case{"bad CL", "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n",
                "Content-Length: not a decimal number below 2^63"},
           Case{"unknown coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
                "Transfer-Encoding: anything but a single final chunked"},
           Case{"bare LF", "HTTP/1.1 200 OK\n\n", "head: a line ends with LF alone"},
           Case{"HTTP/2", "HTTP/2.0 200 OK\r\n\r\n",
                "status line: the version is not HTTP/1.0 or HTTP/1.1"},
           Case{"two digits", "HTTP/1.1 20 OK\r\n\r\n", "status line: no status of three digits"},
           Case{"below 100", "HTTP/1.1 099 OK\r\n\r\n", "status line: the status is below 100"},
           Case{"four digits", "HTTP/1.1 2000 OK\r\n\r\n",
                "status line: no space after the status"},
           Case{"101 that nobody asked for",
                "HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
                "response: 101 that no complete request asked for"},
           Case{"interim head with a body", "HTTP/1.1 100 C\r\nContent-Length: 1\r\n\r\n",
                "response: an interim head that announces a body"},
           Case{"flood of interim heads", flood, "response: more than 16 interim heads"},
       }) {
    SCOPED_TRACE(c.name);
    for (std::size_t split = 0; split <= c.bytes.size(); ++split) {
      ClientRig rig;
      rig.send("GET");
      rig.session->on_bytes(std::string(c.bytes.substr(0, split)));
      rig.session->on_bytes(std::string(c.bytes.substr(split)));
      ASSERT_TRUE(rig.target.error.has_value()) << split;
      EXPECT_EQ(rig.target.error->text, c.text);
      EXPECT_EQ(rig.target.error->kind, base::ErrorKind::kProtocol);
      EXPECT_EQ(rig.target.error->origin, base::Origin::kUpstream);
      EXPECT_FALSE(rig.target.error->retryable);
      EXPECT_EQ(rig.client.session_ends, 1);
      EXPECT_FALSE(rig.session->can_open());
    }
  }
}

TEST(H1Client, BytesBehindAResponseEndTheSessionAndReachNobody) {
  for (const std::string_view first :
       {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\n\r\n"}) {
    for (const bool in_one_read : {true, false}) {
      ClientRig rig;
      rig.send("GET");
      const std::string_view surplus = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
      if (in_one_read) {
        rig.session->on_bytes(std::string(first) + std::string(surplus));
      } else {
        rig.session->on_bytes(first);
        rig.session->on_bytes(surplus);
      }
      EXPECT_EQ(rig.target.events.back(), "end");
      EXPECT_FALSE(rig.session->can_open());
      EXPECT_EQ(rig.client.session_ends, 1);
    }
  }
}

TEST(H1Client, SaysHowTheConnectionWasLost) {
  struct Case {
    std::string_view name, before;
    base::ErrorKind kind;
  };
  for (const Case& c : {
           Case{"before any byte", "", base::ErrorKind::kClosed},
           Case{"inside the head", "HTTP/1.1 2", base::ErrorKind::kProtocol},
           Case{"inside a known body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab",
                base::ErrorKind::kProtocol},
           Case{"inside a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
                base::ErrorKind::kProtocol},
       }) {
    SCOPED_TRACE(c.name);
    for (const bool is_reset : {false, true}) {
      ClientRig rig;
      rig.send("GET");
      if (!c.before.empty()) rig.session->on_bytes(c.before);
      if (is_reset) {
        rig.session->on_lost({base::ErrorKind::kSystem, base::Origin::kUpstream, true, "reset"});
      } else {
        rig.session->on_read_closed();
      }
      ASSERT_TRUE(rig.target.error.has_value());
      EXPECT_EQ(rig.target.error->kind, c.kind);
      EXPECT_FALSE(rig.target.error->retryable) << "the request was written";
      EXPECT_FALSE(rig.session->can_open());
    }
  }
}

TEST(H1Client, LossBeforeTheRequestWasWrittenMayBeRetried) {
  ClientRig rig;
  rig.session->open(rig.target);
  rig.session->on_lost({base::ErrorKind::kSystem, base::Origin::kUpstream, false, "reset"});
  EXPECT_TRUE(rig.target.error->retryable);
  EXPECT_EQ(rig.target.error->kind, base::ErrorKind::kClosed);
}

TEST(H1Client, ResponseBeforeTheRequestAndUnsolicitedBytesEndTheSession) {
  ClientRig rig;
  rig.session->open(rig.target);
  rig.session->on_bytes("HTTP/1.1 200 OK\r\n\r\n");
  EXPECT_EQ(rig.target.error->text, "response: came before the request");
  ClientRig idle;
  idle.session->on_bytes("H");
  EXPECT_EQ(idle.client.session_ends, 1);
  EXPECT_FALSE(idle.session->can_open());
}

TEST(H1Client, EarlyResponseEndsTheExchangeAndTheConnection) {
  ClientRig rig;
  rig.send("POST", BodyLength::known(100));
  rig.session->on_bytes("HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(rig.target.events.back(), "end");
  EXPECT_EQ(rig.client.session_ends, 1);
  EXPECT_FALSE(rig.session->can_open());
}

TEST(H1Client, GivenUpBeforeAnyByteTheConnectionStays) {
  ClientRig rig;
  rig.session->open(rig.target).reset({});
  EXPECT_EQ(rig.client.streams_over, 1);
  EXPECT_TRUE(rig.session->can_open());
  rig.send("GET");
  rig.stream->reset({});
  EXPECT_EQ(rig.client.session_ends, 1);
  EXPECT_FALSE(rig.target.error.has_value());
}

TEST(H1Client, TunnelCarriesRawBytesBothWays) {
  ClientRig rig;
  rig.send("GET", BodyLength::none(), "websocket");
  EXPECT_TRUE(rig.wire.out.ends_with("\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"));
  rig.wire.out.clear();
  rig.session->on_bytes("HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nab");
  rig.stream->send_data(worker::Slice::borrowed("cd"));
  EXPECT_EQ(rig.wire.out, "cd");
  EXPECT_EQ(rig.target.body, "ab");
  rig.session->on_read_closed();
  EXPECT_EQ(rig.target.events.back(), "end");
  EXPECT_EQ(rig.client.session_ends, 0);
  rig.stream->send_end();
  EXPECT_EQ(rig.client.session_ends, 1);
}

TEST(H1Client, PausedResponseWaitsAlsoForItsEnd) {
  ClientRig rig;
  rig.send("GET");
  rig.target.then_head = [&rig] { rig.stream->pause(); };
  rig.session->on_bytes("HTTP/1.1 200 OK\r\n\r\nab");
  EXPECT_FALSE(rig.wire.reading);
  rig.session->on_read_closed();
  EXPECT_EQ(rig.target.body, "");
  rig.stream->resume();
  EXPECT_EQ(rig.target.body, "ab");
  EXPECT_TRUE(rig.target.ended);
  EXPECT_EQ(rig.client.session_ends, 1);
}

}  // namespace
}  // namespace weir::codec
