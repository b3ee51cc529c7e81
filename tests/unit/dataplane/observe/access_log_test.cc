#include "dataplane/observe/access_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <fstream>

#include "common/base/json.h"

namespace weir::observe {
namespace {

using std::chrono::milliseconds;

struct TempPath {
  TempPath() {
    std::string pattern = ::testing::TempDir() + "weir_log_XXXXXX";
    const int fd = ::mkstemp(pattern.data());
    EXPECT_GE(fd, 0);
    ::close(fd);
    path = pattern;
  }
  ~TempPath() { ::unlink(path.c_str()); }
  std::string path;
};

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> out;
  for (std::string line; std::getline(file, line);) out.push_back(line);
  return out;
}

ExchangeRecord sample_record() {
  static const model::RouteLabels route{"shop", "cart", "cart-svc", "/cart"};
  ExchangeRecord record;
  record.request_time = milliseconds(1'234);
  record.upstream_time = milliseconds(7);
  record.status = 200;
  record.upstream_status = 200;
  record.request_bytes = 321;
  record.response_body_bytes = 1'000;
  record.response_bytes = 1'100;
  record.method = "GET";
  record.host = "shop.example.test";
  record.target = "/cart?a=\"1\"";
  record.protocol = "HTTP/1.1";
  record.client = "192.0.2.7";
  record.user_agent = "curl/8";
  record.request_id = "abc";
  record.upstream = "10.0.0.7:8080";
  record.cluster = "shop/cart-svc/80";
  record.attempts = 2;
  record.tls = true;
  record.route = &route;
  return record;
}

TEST(LogRing, GivesLinesBackInOnePieceAcrossTheEnd) {
  const auto page = static_cast<std::size_t>(::getpagesize());
  LogRing ring(page);
  std::string sent;
  std::string got;
  for (int i = 0; i < 2'000; ++i) {
    const std::string line =
        "line " + std::to_string(i) + std::string(static_cast<std::size_t>(i % 90), 'x') + "\n";
    char* place = ring.reserve(line.size());
    if (place == nullptr) {
      const std::string_view all = ring.peek();
      got += all;
      ring.take(all.size());
      place = ring.reserve(line.size());
    }
    ASSERT_NE(place, nullptr);
    std::memcpy(place, line.data(), line.size());
    ring.give(line.size());
    sent += line;
  }
  got += ring.peek();
  EXPECT_EQ(got, sent);
}

TEST(LogRing, RefusesWhatDoesNotFit) {
  const auto page = static_cast<std::size_t>(::getpagesize());
  LogRing ring(page);
  EXPECT_EQ(ring.reserve(page + 1), nullptr);
  ASSERT_NE(ring.reserve(page), nullptr);
  ring.give(page - 10);
  EXPECT_EQ(ring.reserve(11), nullptr);
  EXPECT_NE(ring.reserve(10), nullptr);
  EXPECT_EQ(ring.used(), page - 10);
}

TEST(LogLine, IsOneJsonObjectWithEveryFact) {
  const ExchangeRecord record = sample_record();
  std::string buffer(LogLine::bound(record), '\0');
  LogLine line;
  const base::WallTime now{milliseconds(1'800'000'000'042)};
  const char* const end = line.write(record, now, buffer.data());
  buffer.resize(static_cast<std::size_t>(end - buffer.data()));
  ASSERT_EQ(buffer.back(), '\n');
  const auto json = base::Json::parse(buffer);
  ASSERT_TRUE(json.ok()) << buffer;
  const base::Json& got = json.value();
  EXPECT_EQ(got["time"].as_string(), "2027-01-15T08:00:00.042Z");
  EXPECT_EQ(got["target"].as_string(), record.target);
  EXPECT_EQ(got["status"].as_int(), 200);
  EXPECT_DOUBLE_EQ(got["request_time"].as_double(), 1.234);
  EXPECT_DOUBLE_EQ(got["upstream_response_time"].as_double(), 0.007);
  EXPECT_EQ(got["namespace"].as_string(), "shop");
  EXPECT_EQ(got["ingress"].as_string(), "cart");
  EXPECT_EQ(got["service"].as_string(), "cart-svc");
  EXPECT_EQ(got["upstream"].as_string(), "10.0.0.7:8080");
  EXPECT_EQ(got["attempts"].as_int(), 2);
  EXPECT_TRUE(got["tls"].as_bool());
  EXPECT_FALSE(got.has("error"));
}

TEST(LogLine, EscapesHostileTextWithinItsBound) {
  std::string every;
  for (int c = 0; c < 256; ++c) every += static_cast<char>(c);
  struct Case {
    std::string_view name;
    std::string in;
    std::string want;
  };
  for (const Case& c :
       {Case{"quotes and backslashes", "a\"b\\c", "a\"b\\c"},
        Case{"control bytes", std::string("x\ny\0z", 5), std::string("x\ny\0z", 5)},
        Case{"UTF-8 is kept", "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80",
             "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80"},
        Case{"a lone byte is replaced", "a\xff z", "a\xef\xbf\xbd z"},
        Case{"an overlong sequence is replaced", "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},
        Case{"a surrogate is replaced", "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        Case{"a cut sequence is replaced", "12345678\xe2\x82",
             "12345678\xef\xbf\xbd\xef\xbf\xbd"}}) {
    SCOPED_TRACE(c.name);
    ExchangeRecord record = sample_record();
    record.user_agent = c.in;
    std::string buffer(LogLine::bound(record), '\0');
    LogLine line;
    buffer.resize(static_cast<std::size_t>(line.write(record, {}, buffer.data()) - buffer.data()));
    const auto json = base::Json::parse(buffer);
    ASSERT_TRUE(json.ok()) << buffer;
    EXPECT_EQ(json.value()["user_agent"].as_string(), c.want);
  }
  ExchangeRecord record = sample_record();
  const std::string worst(20'000, '\x01');
  record.target = record.host = record.referer = record.user_agent = worst;
  record.error = every;
  std::string buffer(LogLine::bound(record), '\0');
  LogLine line;
  const char* const end = line.write(record, {}, buffer.data());
  ASSERT_LE(static_cast<std::size_t>(end - buffer.data()), buffer.size());
  buffer.resize(static_cast<std::size_t>(end - buffer.data()));
  const auto json = base::Json::parse(buffer);
  ASSERT_TRUE(json.ok());
  EXPECT_EQ(json.value()["target"].as_string().size(), LogLine::kMostTarget);
}

TEST(AccessLog, WritesEveryLineOfEveryLane) {
  const TempPath file;
  constexpr int kLines = 3'000;
  {
    auto log = AccessLog::open(file.path, 2);
    ASSERT_TRUE(log.ok()) << log.error().text;
    std::vector<std::thread> workers;
    for (std::size_t w = 0; w < 2; ++w) {
      workers.emplace_back([&log, w] {
        const ExchangeRecord record = sample_record();
        for (int i = 0; i < kLines; ++i) {
          log.value()->lane(w).write(record, base::WallTime(std::chrono::seconds(i)));
          if (i % 300 == 0) std::this_thread::sleep_for(milliseconds(5));
        }
      });
    }
    for (std::thread& worker : workers) worker.join();
    EXPECT_EQ(log.value()->dropped(), 0U);
  }
  const auto lines = lines_of(file.path);
  ASSERT_EQ(lines.size(), 2U * kLines);
  for (const std::string& line : lines) ASSERT_TRUE(base::Json::parse(line).ok()) << line;
}

TEST(AccessLog, DropsAndCountsWhenNobodyReadsAndNeverWaits) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
  const base::UniqueFd reader(ends[0]);
  AccessLog log(base::UniqueFd(ends[1]), 1, 64 * 1024);
  const ExchangeRecord record = sample_record();
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 5'000; ++i) log.lane(0).write(record, {});
  EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(1'000));
  EXPECT_GT(log.dropped(), 1'000U);
  std::vector<base::Family> families;
  log.collect(families);
  double dropped = 0;
  for (const base::Family& family : families) {
    if (family.name == "weir_access_log_dropped_total") dropped = family.samples[0].value;
  }
  EXPECT_EQ(dropped, static_cast<double>(log.dropped()));
}

TEST(AccessLog, NamesThePathThatCannotBeOpened) {
  const auto log = AccessLog::open("/nonexistent/dir/access.log", 1);
  ASSERT_FALSE(log.ok());
  EXPECT_NE(log.error().text.find("/nonexistent/dir/access.log"), std::string::npos);
}

}  // namespace
}  // namespace weir::observe
