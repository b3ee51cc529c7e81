// HTTP/2 requests that mean one thing here and another behind an HTTP/1 hop: what reaches the
// origin.

#include <gmock/gmock.h>

#include "tests/attack/victim.h"
#include "tests/h2/peer.h"

namespace weir::attack {
namespace {

using testing::HasSubstr;
using testing::Not;

h2::Fields with(const h2::Fields& more) {
  h2::Fields out = h2::get("/smuggled");
  out.insert(out.end(), more.begin(), more.end());
  return out;
}

// One request on a connection of its own.
h2::Response ask(const Victim& victim, const h2::Fields& fields, const std::string* body = nullptr,
                 const h2::Fields& trailers = {}) {
  h2::Socket socket(victim.port);
  h2::Peer peer;
  const std::int32_t id = peer.request(fields, body, trailers);
  push::eventually([&] {
    socket.send(peer.output());
    socket.read_for(push::Millis(5));
    peer.feed(std::exchange(socket.in, {}));
    return peer.done(id) || socket.over();
  });
  return peer.response(id);
}

TEST(AttackH2, Row3NothingMalformedReachesTheOrigin) {
  Victim victim;
  const h2::Fields cases[] = {
      with({{"transfer-encoding", "chunked"}}),
      with({{"connection", "x"}}),
      with({{"te", "chunked"}}),
      with({{"x", "1\r\n\r\nGET /evil HTTP/1.1"}}),
      with({{"x\r\ny", "1"}}),
      with({{"x y", "1"}}),
      with({{"x:", "1"}}),
      with({{"content-length", "5"}}),
      with({{"content-length", "+1"}}),
      h2::get("/a b"),
      h2::get("/a\r\nx: y"),
      h2::get("/", "a.test\r\nx: y"),
      {{":method", "GET / HTTP/1.1\r\nx"},
       {":scheme", "http"},
       {":path", "/"},
       {":authority", "a.test"}},
  };
  victim.aa.take();
  for (const h2::Fields& fields : cases) {
    h2::Socket socket(victim.port);
    ASSERT_TRUE(socket.send(h2::opening() + h2::headers(1, fields)));
    EXPECT_TRUE(push::eventually([&] {
      socket.read_for(push::Millis(5));
      for (const h2::Frame& frame : h2::split(socket.in)) {
        if (frame.type == h2::kRstStream) return true;
      }
      return socket.over();
    }));
    EXPECT_EQ(h2::split(socket.in).back().type, h2::kRstStream);
  }
  EXPECT_TRUE(victim.aa.take().empty());
}

TEST(AttackH2, Row3ALengthThatTheDataHasNotIsNoRequest) {
  Victim victim;
  victim.aa.take();
  h2::Socket socket(victim.port);
  ASSERT_TRUE(socket.send(h2::opening() + h2::headers(1, with({{"content-length", "9"}}), false) +
                          h2::frame(h2::kData, h2::kEndStream, 1, "four")));
  socket.read_for(push::Millis(200));
  EXPECT_EQ(victim.get("/next").status, 200);
  for (const std::string& request : victim.aa.take()) EXPECT_THAT(request, HasSubstr("/next"));
}

TEST(AttackH2, Row6TrailersNeverBecomeFields) {
  Victim victim;
  victim.aa.take();
  const std::string body = "body";
  const h2::Response response = ask(victim, h2::get("/up"), &body,
                                    {{"authorization", "evil"}, {"host", "evil"}, {"x-sum", "1"}});
  EXPECT_EQ(response.status, 200);
  const std::string seen = victim.aa.last();
  EXPECT_THAT(seen, HasSubstr("x-sum: 1"));
  EXPECT_THAT(seen, Not(HasSubstr("evil")));
}

// A length that comes behind the body and is not its length: no request (RFC 9113 section 8.1.1).
TEST(AttackH2, Row6ALengthAmongTheTrailersIsNoRequest) {
  Victim victim;
  victim.aa.take();
  const std::string body = "body";
  const h2::Response response = ask(victim, h2::get("/up"), &body, {{"content-length", "0"}});
  EXPECT_EQ(response.closed, std::uint32_t{NGHTTP2_PROTOCOL_ERROR});
  EXPECT_EQ(response.status, 0);
  EXPECT_TRUE(victim.aa.take().empty());
}

TEST(AttackH2, Row22OneAuthority) {
  Victim victim;
  victim.aa.take();
  EXPECT_EQ(ask(victim, with({{"host", "b.test"}})).status, 400);
  EXPECT_EQ(ask(victim, h2::get("/", "user@a.test")).status, 400);
  EXPECT_EQ(ask(victim, h2::get("/", "a.test:0")).status, 400);
  EXPECT_TRUE(victim.aa.take().empty());
  EXPECT_EQ(ask(victim, with({{"host", "A.test:80"}})).status, 200);
}

TEST(AttackH2, APoliteConnectionIsServedAsOverHttp1) {
  Victim victim;
  const h2::Response response = ask(victim, h2::get("/hello"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "aa");
  EXPECT_THAT(victim.dataplane.access_log(), testing::AnyOf(HasSubstr("HTTP/2.0"), ""));
}

}  // namespace
}  // namespace weir::attack
