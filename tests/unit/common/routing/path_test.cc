#include "common/routing/path.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "common/routing/query.h"
#include "common/routing/route_table.h"

namespace weir::routing {
namespace {

TEST(NormalPath, DecodesMergesAndResolves) {
  struct Case {
    std::string_view path;
    std::optional<std::string_view> want;
  };
  for (const Case& c : {Case{"/", "/"},
                        Case{"/a/b", "/a/b"},
                        Case{"/a/", "/a/"},
                        Case{"//a///b//", "/a/b/"},
                        Case{"/a/./b/.", "/a/b/"},
                        Case{"/a/b/../c", "/a/c"},
                        Case{"/a/..", "/"},
                        Case{"/a/b/..", "/a/"},
                        Case{"/a//../b", "/b"},
                        Case{"/%61%2e/%2E%2e/x", "/x"},
                        Case{"/a%2fb", "/a%2Fb"},
                        Case{"/a%2F..%2fb", "/a%2F..%2Fb"},
                        Case{"/100%25", "/100%"},
                        Case{"/%2561", "/%61"},
                        Case{"/caf%c3%a9", "/caf\xc3\xa9"},
                        Case{"/.../x", "/.../x"},
                        Case{"/.well-known/x", "/.well-known/x"},
                        Case{"/a;b", "/a;b"},
                        Case{"/..", std::nullopt},
                        Case{"/a/../../b", std::nullopt},
                        Case{"/%2e%2e/", std::nullopt},
                        Case{"/a%00", std::nullopt},
                        Case{std::string_view("/a\0b", 4), std::nullopt},
                        Case{"/a%", std::nullopt},
                        Case{"/a%4", std::nullopt},
                        Case{"/a%zz", std::nullopt},
                        Case{"/a%u002f", std::nullopt},
                        Case{"a", std::nullopt},
                        Case{"", std::nullopt}}) {
    EXPECT_EQ(normal_path(c.path), c.want) << c.path;
  }
}

TEST(NormalPath, IsStableForPathsWithoutEscapes) {
  for (const std::string_view path : {"/a/./b//c/../d/", "/x/../y/.", "//"}) {
    const auto once = normal_path(path);
    ASSERT_TRUE(once.has_value());
    EXPECT_EQ(normal_path(*once), once);
  }
}

TEST(IsClean, IsTrueOnlyWhereEveryOriginReadsTheSame) {
  for (const std::string_view path :
       {"/", "/a/b-c_d.e~f", "/.well-known/acme", "/a/.b", "/a.b/c.", "/@a:b,c=d!$&'()*+"}) {
    EXPECT_TRUE(is_clean(path)) << path;
    EXPECT_EQ(readings_of(path).texts, std::vector<std::string>{std::string(path)}) << path;
  }
  for (const std::string_view path :
       {"", "a", "*", "/%61", "//", "/a//b", "/.", "/..", "/a/..", "/a/./b", "/...", "/a\\b",
        "/a;b", "/a#b", "/a b", "/\x7f", "/\xc3\xa9", "/a\t"}) {
    EXPECT_FALSE(is_clean(path)) << path;
  }
}

TEST(Readings, OddSpellingsShowEveryPathThatAnOriginMaySee) {
  struct Case {
    std::string_view path, seen;
  };
  for (const Case& c :
       {Case{"/x/..%2fadmin", "/admin"}, Case{"/x\\..\\admin", "/admin"},
        Case{"/x/..%5cadmin", "/admin"}, Case{"/x/..;a=b/admin", "/admin"},
        Case{"/admin;x", "/admin"}, Case{"/%61dmin", "/admin"}, Case{"/%2561dmin", "/admin"},
        Case{"/%252e%252e/x", "/x"}, Case{"/a//../admin", "/admin"},
        Case{"/a//../admin", "/a/admin"}, Case{"/%61/../b", "/a/../b"},
        Case{"/x;y%2f..%2fadmin", "/x"}, Case{"/x;y%2f..%2fadmin", "/admin"},
        Case{"/x%2f..%2fadmin;y%2f..%2fz", "/admin"}}) {
    const Readings readings = readings_of(c.path);
    const auto& texts = readings.texts;
    const bool bad = readings.state == Readings::State::kBad;
    EXPECT_TRUE(bad || std::find(texts.begin(), texts.end(), c.seen) != texts.end())
        << c.path << " " << c.seen;
  }
}

TEST(Readings, AreBadWhereNoHonestClientGoes) {
  for (const std::string_view path :
       {"", "admin", "/%00", "/a#b", "/a b", "/a\x01", "/%", "/%c0%af", "/\xc0\xaf", "/%e0%80%af",
        "/%f0%80%80%af", "/%25c0%25af", "/..", "/%2e%2e", "/..;/a", "/..%2f", "/a\\..\\..\\b",
        "/%252525252561"}) {
    EXPECT_EQ(readings_of(path).state, Readings::State::kBad) << path;
  }
}

TEST(Readings, LongPathsOfManyOddFeaturesAreNotCompared) {
  const std::string path = "/a;b%2f..%5c%2561" + std::string(30'000, 'x');
  EXPECT_EQ(readings_of(path).state, Readings::State::kTooMany);
  EXPECT_EQ(readings_of("/a%20" + std::string(30'000, 'x')).state, Readings::State::kGood);
}

TEST(AsWritten, DecodesOnlyBytesThatCannotStandRaw) {
  EXPECT_EQ(as_written("/caf%C3%A9%20%7bx%7D"), "/caf\xc3\xa9 {x}");
  EXPECT_EQ(as_written("/%61%2f%2e%25%3f%23%5c%3b%0a%"), "/%61%2f%2e%25%3f%23%5c%3b%0a%");
}

TEST(Query, FirstOccurrenceCountsAndNamesAndValuesAreComparedDecoded) {
  EXPECT_EQ(query_value("a=1&b=2&a=3", "a"), "1");
  EXPECT_EQ(query_value("a&b", "a"), "");
  EXPECT_EQ(query_value("x%2Ay=1", "x*y"), "1");
  EXPECT_EQ(query_value("aa=1&&b=", "b"), "");
  EXPECT_EQ(query_value("", "a"), std::nullopt);
  EXPECT_EQ(query_value("ab=1", "a"), std::nullopt);
  EXPECT_TRUE(decodes_to("a+b%2bc%", "a b+c%"));
  EXPECT_FALSE(decodes_to("abc", "ab"));
  EXPECT_FALSE(decodes_to("ab", "abc"));
  EXPECT_EQ(decode_query("%zz+%41"), "%zz A");
}

}  // namespace
}  // namespace weir::routing
