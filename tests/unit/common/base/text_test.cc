#include "common/base/text.h"

#include <gtest/gtest.h>

namespace weir::base {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

TEST(Text, TrimLowerAndComparisonsKnowAsciiOnly) {
  EXPECT_EQ(trim(" \t\r\na b\n "), "a b");
  EXPECT_EQ(trim(" \n"), "");
  EXPECT_EQ(to_lower("AZaz09\xc3\x89"), "azaz09\xc3\x89");
  EXPECT_TRUE(equals_ignore_case("Host", "hOST"));
  EXPECT_FALSE(equals_ignore_case("Host", "Hos"));
  EXPECT_FALSE(equals_ignore_case("[", "{")) << "differ in the case bit only";
  EXPECT_TRUE(starts_with_ignore_case("Bearer x", "bearer "));
  EXPECT_FALSE(starts_with_ignore_case("Bear", "bearer"));
}

TEST(Text, SplitKeepsEmptyPartsAndJoinPutsThemBack) {
  using Views = std::vector<std::string_view>;
  EXPECT_EQ(split("a,,b", ','), (Views{"a", "", "b"}));
  EXPECT_EQ(split("", ','), Views{""});
  EXPECT_EQ(split(",", ','), (Views{"", ""}));
  EXPECT_EQ(join({"a", "", "b"}, ", "), "a, , b");
  EXPECT_EQ(join({}, ","), "");
}

TEST(Text, NumbersAreWholeTextWithoutSignOrOverflow) {
  EXPECT_EQ(parse_int("-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(parse_uint("18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(parse_uint("007"), 7U);
  for (const std::string_view text :
       {"", " 1", "1 ", "+1", "--1", "1x", "0x1", "9223372036854775808", "1.0", "-"}) {
    EXPECT_EQ(parse_int(text), std::nullopt) << text;
  }
  for (const std::string_view text : {"-1", "-0", "18446744073709551616", "+1", ""}) {
    EXPECT_EQ(parse_uint(text), std::nullopt) << text;
  }
}

TEST(ParseDuration, AcceptsUnitsAndRefusesTheRest) {
  struct Case {
    std::string_view text;
    std::optional<std::chrono::milliseconds> want;
  };
  for (const Case& c : {Case{"30", 30s},
                        Case{"30s", 30s},
                        Case{"5m", 5min},
                        Case{"1h", 1h},
                        Case{"250ms", 250ms},
                        Case{"1ms", 1ms},
                        Case{"24h", 24h},
                        Case{"86400000ms", 24h},
                        Case{"0", std::nullopt},
                        Case{"0ms", std::nullopt},
                        Case{"86401", std::nullopt},
                        Case{"25h", std::nullopt},
                        Case{"", std::nullopt},
                        Case{"s", std::nullopt},
                        Case{"-1s", std::nullopt},
                        Case{"1.5s", std::nullopt},
                        Case{"1 s", std::nullopt},
                        Case{"1S", std::nullopt},
                        Case{"5d", std::nullopt},
                        Case{"99999999999999999999s", std::nullopt}}) {
    SCOPED_TRACE(c.text);
    const auto got = parse_duration(c.text);
    ASSERT_EQ(got.ok(), c.want.has_value());
    if (c.want) {
      EXPECT_EQ(got.value(), *c.want);
    } else {
      EXPECT_EQ(got.error().origin, Origin::kConfig);
      EXPECT_NE(got.error().text.find("'" + std::string(c.text) + "'"), std::string::npos);
    }
  }
}

TEST(Base64, GivesTheVectorsOfTheRfcBothWays) {
  for (const auto& [plain, coded] :
       std::vector<std::pair<std::string, std::string>>{{"", ""},
                                                        {"f", "Zg=="},
                                                        {"fo", "Zm8="},
                                                        {"foo", "Zm9v"},
                                                        {"foob", "Zm9vYg=="},
                                                        {"\0\xff\xfe"s, "AP/+"}}) {
    EXPECT_EQ(base64_encode(plain), coded);
    EXPECT_EQ(base64_decode(coded), plain);
  }
  for (const std::string_view text : {"Zg=", "Zg", "Zg==Zg==", "Z===", "====", "Zm 9", "Zm9\n",
                                      "Zm-_", "=Zm9", "Zm=v", "Zm9vY"}) {
    EXPECT_EQ(base64_decode(text), std::nullopt) << text;
  }
}

TEST(Hex, IsLowerCase) { EXPECT_EQ(hex("\x00\xab\x7f"s), "00ab7f"); }

TEST(Rfc3339, IsReadWithFractionsAndRefusedWhenNoDate) {
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(parse_rfc3339("2026-01-02T03:04:05Z"), 1'767'323'045);
  EXPECT_EQ(parse_rfc3339("2026-01-02T03:04:05.999999Z"), 1'767'323'045);
  EXPECT_EQ(parse_rfc3339("2024-02-29T00:00:00Z"), 1'709'164'800);
  EXPECT_EQ(parse_rfc3339("2016-12-31T23:59:60Z"), 1'483'228'800) << "a leap second";
  for (const std::string_view text :
       {"", "2026-01-02", "2026-01-02T03:04:05", "2026-01-02 03:04:05Z", "2026-13-02T03:04:05Z",
        "2026-00-02T03:04:05Z", "2026-02-29T03:04:05Z", "2026-04-31T03:04:05Z",
        "2026-01-00T03:04:05Z", "2026-01-02T24:04:05Z", "2026-01-02T03:60:05Z",
        "2026-01-02T03:04:61Z", "2026-01-02T03:04:05.Z", "2026-01-02T03:04:05junkZ",
        "2026-01-02T03:04:05.1x2Z", "2026-+1-02T03:04:05Z", "2026-01-02T03:04:05+01:00"}) {
    EXPECT_EQ(parse_rfc3339(text), std::nullopt) << text;
  }
}

TEST(Rfc3339, IsWrittenAsKubernetesWritesIt) {
  EXPECT_EQ(format_rfc3339(1'767'323'045), "2026-01-02T03:04:05Z");
  EXPECT_EQ(format_rfc3339_micro(1'767'323'045'000'006), "2026-01-02T03:04:05.000006Z");
  EXPECT_EQ(format_rfc3339_micro(-1), "1969-12-31T23:59:59.999999Z");
  for (const std::int64_t at : {0L, 951'782'400L, 4'102'444'799L}) {
    EXPECT_EQ(parse_rfc3339(format_rfc3339(at)), at);
  }
}

TEST(Text, GivesItsMemoryBack) {
  std::string text(100'000, 'x');
  give_back(text);
  EXPECT_EQ(text, "");
  EXPECT_LT(text.capacity(), 100U);
}

TEST(Text, IsCutBetweenCharacters) {
  const std::string two = "a\u00e9b\u20ac";  // 1 + 2 + 1 + 3 bytes
  EXPECT_EQ(prefix_of(two, 7), two);
  EXPECT_EQ(prefix_of(two, 6), "a\u00e9b");
  EXPECT_EQ(prefix_of(two, 3), "a\u00e9");
  EXPECT_EQ(prefix_of(two, 2), "a");
  EXPECT_EQ(prefix_of(two, 0), "");
  EXPECT_EQ(shortened(two, 7), two);
  EXPECT_EQ(shortened(two, 5), "a\u00e9b...");
}

}  // namespace
}  // namespace weir::base
