#include "dataplane/exchange/grpc_status.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::exchange {
namespace {

codec::Head with(std::string_view name, std::string_view value) {
  codec::Head head;
  head.add(name, value);
  return head;
}

TEST(GrpcStatus, OnlyGrpcContentTypesAreGrpc) {
  for (const auto* yes : {"application/grpc", "application/grpc+proto", "Application/GRPC",
                          "application/grpc; charset=x"}) {
    EXPECT_TRUE(is_grpc(with("Content-Type", yes))) << yes;
  }
  for (const auto* no : {"application/grpc-web", "application/grpc-web-text", "application/grpcx",
                         "application/json", ""}) {
    EXPECT_FALSE(is_grpc(with("Content-Type", no))) << no;
  }
  EXPECT_FALSE(is_grpc(with("X", "application/grpc")));
}

TEST(GrpcStatus, HttpStatusesHaveTheirGrpcStatus) {
  struct Case {
    int http;
    int grpc;
  };
  for (const Case& c :
       {Case{400, 13}, Case{401, 16}, Case{403, 7}, Case{404, 12}, Case{413, 8}, Case{429, 14},
        Case{502, 14}, Case{503, 14}, Case{504, 14}, Case{308, 2}, Case{500, 2}, Case{431, 2}}) {
    EXPECT_EQ(grpc_status_of(c.http, false), c.grpc) << c.http;
    EXPECT_EQ(grpc_status_of(c.http, true), 4) << c.http;
  }
}

TEST(GrpcStatus, AReplyBecomesTrailersOnly) {
  codec::Head reply = with("WWW-Authenticate", "Basic");
  reply.set_status(401);
  become_grpc_reply(reply, false);
  EXPECT_EQ(reply.status(), 200);
  EXPECT_EQ(reply.find("content-type"), "application/grpc");
  EXPECT_EQ(reply.find("grpc-status"), "16");
  EXPECT_EQ(reply.find("grpc-message"), "401 Unauthorized");
}

TEST(GrpcStatus, AMessageIsPercentEncoded) {
  codec::Head trailers;
  add_grpc_status(trailers, 2, "a%b\tc\xc3\xa9~");
  EXPECT_EQ(trailers.find("grpc-message"), "a%25b%09c%C3%A9~");
}

TEST(GrpcStatus, TimeoutsAreReadInEveryUnitAndRoundedUp) {
  struct Case {
    std::string_view text;
    std::int64_t us;  // -1: malformed
  };
  for (const Case& c :
       {Case{"1H", 3'600'000'000}, Case{"2M", 120'000'000}, Case{"3S", 3'000'000},
        Case{"250m", 250'000}, Case{"976u", 976}, Case{"1n", 1}, Case{"1001n", 2}, Case{"0S", 1},
        Case{"99999999H", 359'999'996'400'000'000}, Case{"", -1}, Case{"S", -1}, Case{"1", -1},
        Case{"1x", -1}, Case{"-1S", -1}, Case{"123456789S", -1}, Case{"1 S", -1}}) {
    const auto got = grpc_timeout(with("grpc-timeout", c.text));
    EXPECT_EQ(got ? got->count() : -1, c.us) << c.text;
  }
  EXPECT_FALSE(grpc_timeout(with("x", "1S")).has_value());
}

}  // namespace
}  // namespace weir::exchange
