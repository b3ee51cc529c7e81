// HTTP/2 field sections to heads and back, and the queue that packs small pieces.

#include "dataplane/codec/h2_fields.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "dataplane/codec/h2_queue.h"
#include "tests/unit/dataplane/codec/scripted.h"

namespace weir::codec {
namespace {

using Kind = H2FieldReader::Kind;
using Fields = std::vector<std::pair<std::string, std::string>>;

Fields request(const Fields& more = {}, std::string_view authority = "a.test",
               std::string_view path = "/x?y") {
  Fields out{{":method", "GET"}, {":scheme", "https"}, {":path", std::string(path)}};
  if (!authority.empty()) out.emplace_back(":authority", authority);
  out.insert(out.end(), more.begin(), more.end());
  return out;
}

// "malformed", "STATUS: why", or the head as one line.
std::string read(Kind kind, const Fields& fields, Limits limits = {}) {
  Memory memory;
  memory.limits = limits;
  const SessionContext context = memory.context();
  H2FieldReader reader;
  reader.start(kind, context);
  for (const auto& [name, value] : fields) {
    if (!reader.add(name, value)) return "malformed";
  }
  if (const Refusal refusal = reader.finish()) {
    return std::to_string(refusal.status) + ": " + std::string(refusal.text);
  }
  return to_text(*reader.take());
}

struct Mapped {
  std::string name;
  Fields fields;
  std::string result;
};

TEST(H2Fields, ARequestIsReadStrictly) {
  const Mapped cases[] = {
      {"plain", request({{"accept", "*/*"}}), "GET /x?y @a.test | accept: */*"},
      {"crumbs are one cookie", request({{"cookie", "a=1"}, {"x", "y"}, {"cookie", "b=2"}}),
       "GET /x?y @a.test | x: y | cookie: a=1; b=2"},
      {"host alone", request({{"host", "b.test"}}, ""), "GET /x?y @b.test"},
      {"host alike", request({{"host", "A.TEST:443"}}), "GET /x?y @A.TEST:443"},
      {"te: trailers stays", request({{"te", "trailers"}}), "GET /x?y @a.test | te: trailers"},
      {"host differs", request({{"host", "b.test"}}),
       "400: request: Host differs from \":authority\""},
      {"two hosts", request({{"host", "a.test"}, {"host", "a.test"}}),
       "400: request: more than one Host"},
      {"no authority", request({}, ""), "400: request: neither \":authority\" nor Host"},
      {"userinfo", request({}, "u@a.test"),
       "400: request: \":authority\" is not host or host:port"},
      {"upper case", request({{"Accept", "x"}}), "malformed"},
      {"space in a name", request({{"a b", "x"}}), "malformed"},
      {"newline in a value", request({{"a", "x\r\nb: c"}}), "malformed"},
      {"nul in a value", request({{"a", std::string("x\0y", 3)}}), "malformed"},
      {"space in the path", request({}, "a.test", "/a b"), "malformed"},
      {"space in the authority", request({}, "a test"), "malformed"},
      {"relative path", request({}, "a.test", "x"),
       "400: request: \":path\" does not begin with a slash"},
      {"connect",
       {{":method", "CONNECT"}, {":authority", "a.test:443"}},
       "501: request: CONNECT is not supported"},
  };
  for (const Mapped& c : cases) EXPECT_EQ(read(Kind::kRequest, c.fields), c.result) << c.name;
}

TEST(H2Fields, CountAndBytesAreCappedAndNothingOverIsStored) {
  Limits limits;
  limits.fields = 3;
  limits.head_bytes = 600;
  limits.target_bytes = 20;
  EXPECT_EQ(read(Kind::kRequest, request({{"a", ""}, {"b", ""}, {"c", ""}, {"d", ""}}), limits),
            "431: request: more fields than the limit");
  EXPECT_EQ(read(Kind::kRequest, request({{"a", std::string(400, 'x')}}), limits),
            "431: request: the field section is over the limit");
  EXPECT_EQ(read(Kind::kRequest, request({}, "a.test", "/" + std::string(20, 'p')), limits),
            "414: request: \":path\" is over the limit");
  Fields crumbs;
  for (int i = 0; i < 4; ++i) crumbs.emplace_back("cookie", "");
  EXPECT_EQ(read(Kind::kRequest, request(crumbs), limits),
            "431: request: more fields than the limit");

  Memory memory;
  memory.limits = limits;
  const SessionContext context = memory.context();
  H2FieldReader reader;
  reader.start(Kind::kRequest, context);
  for (int i = 0; i < 24; ++i) {
    EXPECT_FALSE(reader.is_bomb()) << i;
    ASSERT_TRUE(reader.add("cookie", ""));
  }
  ASSERT_TRUE(reader.add("cookie", ""));
  EXPECT_TRUE(reader.is_bomb()) << "eight times the count";
  EXPECT_LT(reader.take()->bytes(), 600U);
}

TEST(H2Fields, ResponsesAndTrailersAreRead) {
  EXPECT_EQ(read(Kind::kResponse, {{":status", "204"}, {"a", "b"}}), "204  | a: b");
  Limits limits;
  limits.fields = 1;
  EXPECT_EQ(read(Kind::kResponse, {{":status", "200"}, {"a", ""}, {"b", ""}}, limits),
            "502: response: more fields than the limit");
  EXPECT_EQ(
      read(Kind::kTrailers,
           {{"grpc-status", "0"}, {"content-length", "3"}, {"host", "x"}, {"authorization", "x"}}),
      "  @ | grpc-status: 0");
}

TEST(H2Fields, AHeadIsWrittenInLowerCaseWithoutConnectionFields) {
  Head head;
  head.add("Content-Type", "text/plain");
  head.add("X-Custom", "V");
  for (const char* name : {"Connection", "Keep-Alive", "Transfer-Encoding", "Upgrade", "Host", "TE",
                           "Proxy-Connection", "HTTP2-Settings", "Content-Length"}) {
    head.add(name, "x");
  }
  H2FieldList& list = h2_scratch_fields();
  list.add_status(200);
  list.add_length(12);
  list.add_fields(head);
  std::string out;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const nghttp2_nv& nv = list.data()[i];
    out.append(reinterpret_cast<const char*>(nv.name), nv.namelen).append("=");
    out.append(reinterpret_cast<const char*>(nv.value), nv.valuelen).append(" ");
  }
  EXPECT_EQ(out, ":status=200 content-length=12 content-type=text/plain x-custom=V ");
}

TEST(H2Queue, PacksSmallPiecesAndKeepsLargeOnesByReference) {
  Memory memory;
  H2Queue queue;
  std::string expected;
  for (int i = 0; i < 5000; ++i) {
    const std::string piece = std::to_string(i) + ",";
    expected += piece;
    queue.push(memory.buffers, worker::Slice::borrowed(piece));
  }
  EXPECT_LE(memory.buffers.chunks_taken(), expected.size() / 4096 + 2);
  const std::string large(5000, 'L');
  const worker::Slice owned = memory.buffers.copy(large);
  queue.push(memory.buffers, owned);
  queue.push(memory.buffers, worker::Slice::borrowed("end"));
  expected += large + "end";
  EXPECT_EQ(queue.bytes(), expected.size());
  std::string got;
  bool by_reference = false;
  while (!queue.empty()) {
    const worker::Slice part = queue.pop(3000);
    by_reference = by_reference || part.bytes().data() == owned.bytes().data();
    got += part.bytes();
  }
  EXPECT_EQ(got, expected);
  EXPECT_TRUE(by_reference);
  EXPECT_EQ(memory.buffers.chunks_taken(), 1U) << "only the caller's own";
}

}  // namespace
}  // namespace weir::codec
