#include "dataplane/codec/hop_by_hop.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "tests/unit/dataplane/codec/scripted.h"

namespace weir::codec {
namespace {

using Fields = std::vector<std::pair<std::string_view, std::string_view>>;

Head make(const Fields& fields) {
  Head head;
  head.set_method("GET");
  for (const auto& [name, value] : fields) head.add(name, value);
  return head;
}

TEST(HopByHop, StripsWhatEndsAtThisConnection) {
  struct Case {
    std::string_view name;
    Fields fields;
    std::string_view left;
  };
  for (const Case& c : {
           Case{"fixed names",
                {{"Keep-Alive", "5"},
                 {"Proxy-Connection", "x"},
                 {"Upgrade", "h2c"},
                 {"HTTP2-Settings", "x"},
                 {"Transfer-Encoding", "chunked"},
                 {"A", "1"}},
                "GET  @ | A: 1"},
           Case{"named ones, any case, several lines",
                {{"Connection", "x-a , Close"},
                 {"X-A", "1"},
                 {"connection", "X-B"},
                 {"x-b", "2"},
                 {"X-C", "3"}},
                "GET  @ | X-C: 3"},
           Case{"what identifies the client goes too, before we add ours",
                {{"Connection", "X-Forwarded-For, Cookie"},
                 {"X-Forwarded-For", "1.1.1.1"},
                 {"Cookie", "c"}},
                "GET  @"},
           Case{"Host and Content-Length stay",
                {{"Connection", "Host, Content-Length"}, {"Host", "h"}, {"Content-Length", "3"}},
                "GET  @ | Host: h | Content-Length: 3"},
           Case{"TE keeps trailers only",
                {{"TE", "Trailers"}, {"Connection", "TE"}},
                "GET  @ | TE: Trailers"},
           Case{"TE with more goes", {{"TE", "trailers, gzip"}}, "GET  @"},
           Case{"Trailer stays", {{"Trailer", "X-Sum"}}, "GET  @ | Trailer: X-Sum"},
       }) {
    SCOPED_TRACE(c.name);
    Head head = make(c.fields);
    strip_hop_by_hop(head);
    EXPECT_EQ(to_text(head), c.left);
  }
}

TEST(HopByHop, AnUpgradeNeedsBothFieldsAndHttp11) {
  Head both = make({{"Connection", "keep-alive, UPGRADE"}, {"Upgrade", "websocket"}});
  EXPECT_TRUE(wants_upgrade(both));
  both.set_version_minor(0);
  EXPECT_FALSE(wants_upgrade(both));
  EXPECT_FALSE(wants_upgrade(make({{"Upgrade", "websocket"}})));
  EXPECT_FALSE(wants_upgrade(make({{"Connection", "upgrade"}})));
}

TEST(HopByHop, TrailersMayNotRouteFrameOrAuthenticate) {
  for (const std::string_view name : {"Content-Length",
                                      "transfer-encoding",
                                      "Host",
                                      "Authorization",
                                      "Cookie",
                                      "Set-Cookie",
                                      "Content-Type",
                                      "X-Forwarded-For",
                                      "X_Forwarded_For",
                                      "Forwarded",
                                      "X-Real-IP",
                                      "TE",
                                      "Proxy-Authorization",
                                      "Cache-Control",
                                      "If-Match",
                                      "Trailer",
                                      "Connection",
                                      "Expect",
                                      "X-Request-ID",
                                      "Location",
                                      "Strict-Transport-Security"}) {
    EXPECT_TRUE(is_forbidden_trailer({name, "", field_id(name)})) << name;
  }
  for (const std::string_view name :
       {"X-Checksum", "Digest", "grpc-status", "Server-Timing", "ETag"}) {
    EXPECT_FALSE(is_forbidden_trailer({name, "", field_id(name)})) << name;
  }
}

}  // namespace
}  // namespace weir::codec
