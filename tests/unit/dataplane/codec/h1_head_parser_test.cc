#include "dataplane/codec/h1_head_parser.h"

#include <gtest/gtest.h>

#include <ctime>
#include <iostream>

#include "dataplane/codec/h1_framing.h"
#include "dataplane/codec/h1_scan.h"
#include "dataplane/codec/h1_serialize.h"
#include "tests/unit/dataplane/codec/scripted.h"

namespace weir::codec {
namespace {

// About 400 bytes: what a browser sends.
constexpr std::string_view kBrowserHead =
    "GET /products/list?page=2&sort=price HTTP/1.1\r\nHost: shop.example.com\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
    "Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br\r\n"
    "Cookie: session=0123456789abcdef0123456789abcdef\r\nConnection: keep-alive\r\n\r\n";

double thread_cpu_ns() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

TEST(FindControl, FindsEveryControlByteAtEveryPlaceAndNoOtherByte) {
  for (std::size_t size = 0; size < 50; ++size) {
    for (int value = 0; value < 256; ++value) {
      const bool is_control = (value < 0x20 && value != '\t') || value == 0x7f;
      const std::size_t at = size * 7 % (size + 1);
      std::string text(size, 'a');
      if (at < size) text[at] = static_cast<char>(value);
      EXPECT_EQ(find_control(text), is_control && at < size ? at : size) << value << " " << size;
    }
  }
}

TEST(HeadParser, TakesTheWholeHeadInOneBlockWithoutAllocatingAgain) {
  Memory memory;
  const char* block = nullptr;
  for (int i = 0; i < 3; ++i) {
    const SessionContext context = memory.context();
    HeadParser parser(context);
    parser.start(HeadParser::Kind::kRequest);
    const std::string bytes = std::string(kBrowserHead) + "next";
    ASSERT_EQ(parser.parse(bytes), HeadParser::Progress::kDone);
    ASSERT_EQ(parser.size(), kBrowserHead.size());
    HeadPtr head = parser.take_head(std::string_view(bytes).substr(0, parser.size()));
    EXPECT_EQ(head->bytes(), kBrowserHead.size());
    EXPECT_EQ(head->path(), "/products/list");
    EXPECT_EQ(head->find(FieldId::kHost), "shop.example.com");
    if (i > 0) {
      EXPECT_EQ(static_cast<const void*>(head->method().data()), static_cast<const void*>(block));
    }
    block = head->method().data();
  }
}

TEST(HeadParser, SaysOfARefusedHeadWhatItCouldRead) {
  Memory memory;
  const SessionContext context = memory.context();
  HeadParser parser(context);
  parser.start(HeadParser::Kind::kRequest);
  const std::string_view bytes = "PUT /x HTTP/1.1\r\nA: 1\r\nB : 2\r\n";
  ASSERT_EQ(parser.parse(bytes), HeadParser::Progress::kBad);
  EXPECT_EQ(to_text(*parser.take_head(bytes)), "PUT /x @ | A: 1");
}

TEST(HeadParser, SmallerLimitsHold) {
  struct Case {
    std::string_view name, bytes;
    Limits limits;
    int status;
  };
  for (const Case& c : {
           Case{"bytes", "GET / HTTP/1.1\r\nHost: h\r\nX: 12345678\r\n\r\n", {30, 100, 20}, 431},
           Case{"fields", "GET / HTTP/1.1\r\nHost: h\r\nX: 1\r\n\r\n", {1000, 1, 20}, 431},
           Case{"target", "GET /56789012345678901 HTTP/1.1\r\n", {1000, 10, 16}, 414},
           Case{"request line over all bytes", "GET /5678901234567890", {12, 10, 100}, 414},
       }) {
    SCOPED_TRACE(c.name);
    Memory memory;
    memory.limits = c.limits;
    const SessionContext context = memory.context();
    HeadParser parser(context);
    parser.start(HeadParser::Kind::kRequest);
    ASSERT_EQ(parser.parse(c.bytes), HeadParser::Progress::kBad);
    EXPECT_EQ(parser.refusal().status, c.status);
  }
}

// Prints the CPU time of one head. No bound: sanitizers and debug builds run it too.
TEST(HeadParser, CostOfABrowserHead) {
  constexpr int kRounds = 20'000;
  Memory memory;
  const SessionContext context = memory.context();
  HeadParser parser(context);
  std::size_t fields = 0;
  std::size_t written = 0;
  const auto measure = [](auto&& work) {
    const double start = thread_cpu_ns();
    for (int i = 0; i < kRounds; ++i) work();
    return (thread_cpu_ns() - start) / kRounds;
  };
  const double parse = measure([&] {
    parser.start(HeadParser::Kind::kRequest);
    if (parser.parse(kBrowserHead) != HeadParser::Progress::kDone) return;
    HeadPtr head = parser.take_head(kBrowserHead);
    HeadFacts facts;
    if (!judge_request(*head, parser.absolute(), facts)) fields += head->field_count();
  });
  parser.start(HeadParser::Kind::kRequest);
  ASSERT_EQ(parser.parse(kBrowserHead), HeadParser::Progress::kDone);
  HeadPtr head = parser.take_head(kBrowserHead);
  head->set_authority("shop.example.com");
  const double write =
      measure([&] { written += serialize_request(memory.buffers, *head, {}).size(); });
  EXPECT_EQ(fields, 7U * kRounds);
  EXPECT_GT(written, 300U * kRounds);
  std::cout << "head of " << kBrowserHead.size() << " bytes: parsed and judged in " << parse
            << " ns, written in " << write << " ns\n";
}

}  // namespace
}  // namespace weir::codec
