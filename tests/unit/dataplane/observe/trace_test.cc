#include "dataplane/observe/trace.h"

#include <gtest/gtest.h>

#include "common/base/text.h"
#include "common/crypto/digest.h"
#include "dataplane/observe/otlp.h"

namespace weir::observe {
namespace {

using std::chrono::milliseconds;

constexpr const char* kTrace = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr const char* kSpan = "00f067aa0ba902b7";

base::WallTime at_second(std::int64_t second) {
  return base::WallTime(std::chrono::seconds(second));
}

std::string signature(const std::string& stamp, const std::string& host, const std::string& key) {
  return stamp + "." + base::hex(crypto::hmac_sha256(key, stamp + "." + host));
}

TEST(TraceContext, AValidTraceparentIsReadAndWrittenAgain) {
  const std::string text = std::string("00-") + kTrace + "-" + kSpan + "-01";
  const auto parent = parse_traceparent(text);
  ASSERT_TRUE(parent);
  EXPECT_TRUE(parent->sampled);
  EXPECT_EQ(hex(parent->trace), kTrace);
  EXPECT_EQ(hex(parent->span), kSpan);
  EXPECT_EQ(format_traceparent(parent->trace, parent->span, true), text);
  EXPECT_FALSE(parse_traceparent(std::string("00-") + kTrace + "-" + kSpan + "-02")->sampled);
}

TEST(TraceContext, OnlyItsBytesCanBeCutOrChangedIntoAnother) {
  const std::string text = std::string("00-") + kTrace + "-" + kSpan + "-01";
  for (std::size_t size = 0; size < text.size(); ++size)
    EXPECT_FALSE(parse_traceparent(text.substr(0, size))) << size;
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const char bad : {'G', 'A', ' ', '_', '\0'}) {
      std::string changed = text;
      changed[at] = bad;
      EXPECT_FALSE(parse_traceparent(changed)) << at << bad;
    }
  }
  EXPECT_FALSE(parse_traceparent(text + "-"));
  EXPECT_FALSE(parse_traceparent("ff" + text.substr(2)));
  EXPECT_TRUE(parse_traceparent("01" + text.substr(2) + "-more"));
  EXPECT_FALSE(parse_traceparent("01" + text.substr(2) + "more"));
}

TEST(TraceContext, TheRatioIsKeptAndDependsOnTheIdAlone) {
  TraceId id{};
  int sampled = 0;
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    const std::string digest = crypto::sha256(std::to_string(i));
    std::copy_n(digest.begin(), id.size(), id.begin());
    EXPECT_FALSE(sampled_by_ratio(id, 0));
    EXPECT_TRUE(sampled_by_ratio(id, 1'000'000));
    sampled += sampled_by_ratio(id, 100'000) ? 1 : 0;
  }
  EXPECT_NEAR(sampled, 10'000, 400);
}

TEST(DebugSignature, TheDigestIsThatOfRfc4231) {
  EXPECT_EQ(base::hex(crypto::hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(
      base::hex(crypto::hmac_sha256(std::string(131, '\xaa'),
                                    "Test Using Larger Than Block-Size Key - Hash Key First")),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(DebugSignature, CountsForItsHostKeyAndMinute) {
  const std::string key(40, 'k');
  const std::string good = signature("1000", "shop.test", key);
  EXPECT_TRUE(is_signed(good, "Shop.Test:8443", key, at_second(1000)));
  EXPECT_TRUE(is_signed(good, "shop.test", key, at_second(1060)));
  EXPECT_TRUE(is_signed(good, "shop.test", key, at_second(940)));
  EXPECT_FALSE(is_signed(good, "shop.test", key, at_second(1061)));
  EXPECT_FALSE(is_signed(good, "shop.test", key, at_second(939)));
  EXPECT_FALSE(is_signed(good, "other.test", key, at_second(1000)));
  EXPECT_FALSE(is_signed(good, "shop.test", key + "k", at_second(1000)));
  EXPECT_FALSE(is_signed("01000" + good.substr(4), "shop.test", key, at_second(1000)));
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(is_signed(good.substr(0, size), "shop.test", key, at_second(1000)));
}

TEST(Decisions, StayWithinTheirBoundsWhateverHappened) {
  Trace trace;
  for (int i = 0; i < 100; ++i) {
    TracedAttempt attempt;
    attempt.endpoint = "10.0.0." + std::to_string(i) + ":80";
    attempt.error = std::string(1'000, 'x') + "\r\nSet-Cookie: a=b";
    trace.attempts.push_back(attempt);
  }
  Decisions told;
  told.route = "Ingress a/b\r\nX: y";
  told.match = "h prefix /";
  told.cluster = "a/b/80";
  told.filters = std::vector<std::string>(200, "filter passed");
  const auto lines = describe(trace, told, base::TimePoint(milliseconds(5)));
  EXPECT_LE(lines.size(), Decisions::kMostLines);
  for (const std::string& line : lines) {
    EXPECT_LE(line.size(), Decisions::kLongestLine);
    EXPECT_EQ(line.find_first_of("\r\n"), std::string::npos);
  }
  EXPECT_TRUE(std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
    return line.starts_with("attempt 100: 10.0.0.99:80");
  })) << "the last attempts are told";
}

TEST(Otlp, SpansOfManyRequestsCanBeCountedWhenTheyStandTogether) {
  std::string spans;
  std::size_t all = 0;
  for (std::size_t attempts : {0U, 1U, 3U}) {
    Trace trace;
    trace.attempts.resize(attempts);
    ExchangeRecord record;
    const std::string target(attempts * 100, 'a');  // lengths of one and of two bytes
    record.method = "GET";
    record.target = target;
    EXPECT_EQ(append_spans(trace, record, base::TimePoint(milliseconds(1)), spans), attempts + 1);
    all += attempts + 1;
  }
  EXPECT_EQ(count_spans(spans), all);
  EXPECT_EQ(count_spans(""), 0U);
  EXPECT_LE(count_spans(spans.substr(0, spans.size() / 2)), all);
}

}  // namespace
}  // namespace weir::observe
