#include "common/base/json.h"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>

namespace weir::base {
namespace {

using namespace std::string_literals;

Json parsed(std::string_view text) {
  auto json = Json::parse(text);
  EXPECT_TRUE(json.ok()) << text << ": " << (json.ok() ? "" : json.error().text);
  return json.ok() ? std::move(json).value() : Json();
}

TEST(Json, ParsedTextIsWrittenBackTheSame) {
  for (const std::string_view text :
       {"null", "true", "false", "0", "-1", "9223372036854775807", "-9223372036854775808", "0.1",
        "1.5e+300", "\"\"", "\"a\\\"\\\\\\u0000\\u001f\\u007f/\"",
        "\"caf\xc3\xa9 \xf0\x9f\x98\x80\"", "[]", "{}", "[1,[2,{\"a\":[]}],null]",
        "{\"b\":1,\"a\":{\"c\":\"d\"}}"}) {
    EXPECT_EQ(parsed(text).to_string(), text);
  }
}

TEST(Json, NumbersKeepTheirValueAndKind) {
  EXPECT_TRUE(parsed("7").is_int());
  EXPECT_FALSE(parsed("7.0").is_int());
  EXPECT_EQ(parsed("7.9").as_int(), 7);
  EXPECT_EQ(parsed("1e30").as_int(-1), -1) << "out of range gives the fallback";
  EXPECT_EQ(parsed("0.00000000000000000000000000000e5").as_double(-1), 0.0);
  EXPECT_EQ(parsed("1e-999").as_double(-1), 0.0);
  EXPECT_EQ(parsed("-0").as_int(-1), 0);
  EXPECT_EQ(parsed("-9223372036854775808").as_int(), INT64_MIN);
  EXPECT_EQ(parsed("18446744073709551615").as_double(), 18446744073709551615.0);
  EXPECT_EQ(parsed("18446744073709551615").as_double(), 18446744073709551615.0);
  EXPECT_EQ(parsed("-3").as_double(), -3.0);
  for (const double value : {0.1, 1.0 / 3, 123456789.123456789, 5e-324, 1.7976931348623157e308}) {
    EXPECT_EQ(parsed(Json(value).to_string()).as_double(), value) << "every bit survives";
  }
  EXPECT_EQ(Json(std::numeric_limits<double>::infinity()).to_string(), "null");
}

TEST(Json, BadTextIsRefusedWithItsOffset) {
  for (const std::string& text :
       {""s,    "{"s,      "[1,]"s,          "{\"a\":}"s, "{\"a\" 1}"s,    "nul"s,         "01"s,
        "1 2"s, "{}x"s,    "\"\x01\""s,      "\"\xff\""s, "\"\xc0\xaf\""s, "\"\\ud800\""s, "'a'"s,
        "[1"s,  "1e999"s,  "\xef\xbb\xbf{"s, "{}\0"s,     "{}\0{"s,        "1\0"s,         "\0"s,
        "NaN"s, "// x\n1"s}) {
    const auto got = Json::parse(text);
    ASSERT_FALSE(got.ok()) << text;
    EXPECT_EQ(got.error().kind, ErrorKind::kInvalid);
    EXPECT_NE(got.error().text.find("JSON at byte "), std::string::npos) << got.error().text;
  }
}

TEST(Json, HostileDepthIsRefusedAndTheLimitItselfPasses) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_TRUE(Json::parse(nested(Json::kMaxDepth)).ok());
  const auto deep = Json::parse(nested(Json::kMaxDepth + 1));
  ASSERT_FALSE(deep.ok());
  EXPECT_NE(deep.error().text.find("512 levels"), std::string::npos);
  EXPECT_FALSE(Json::parse(std::string(5'000'000, '[')).ok());
  std::string objects;
  for (int i = 0; i < 1'000'000; ++i) objects += "{\"a\":";
  EXPECT_FALSE(Json::parse(objects).ok());
}

TEST(Json, OfAHundredThousandMembersIsParsedInLinearTimeAndTheLastDuplicateWins) {
  std::string text = "{";
  for (int i = 0; i < 100'000; ++i) text += "\"key-" + std::to_string(i % 60'000) + "\":1,";
  text += "\"key-5\":2}";
  const auto start = std::chrono::steady_clock::now();
  const Json json = parsed(text);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  EXPECT_EQ(json.members().size(), 60'000U);
  EXPECT_EQ(json["key-5"].as_int(), 2);
  EXPECT_EQ(json.members()[5].first, "key-5") << "it keeps the place of the first";
  EXPECT_EQ(parsed("{\"a\":1,\"b\":2,\"a\":3}").to_string(), "{\"a\":3,\"b\":2}");
}

TEST(Json, WalksOverForeignObjectsNeverFail) {
  const Json json = parsed(R"({"metadata":{"name":"x","labels":{"a":"b"}},"n":3,"s":"t"})");
  EXPECT_EQ(json.at_path("metadata", "labels", "a").as_string(), "b");
  EXPECT_TRUE(json.at_path("metadata", "labels", "b").is_null());
  EXPECT_TRUE(json.at_path("n", "deep", "er").is_null());
  EXPECT_EQ(json["s"].as_int(4), 4);
  EXPECT_EQ(json["n"].as_string(), "");
  EXPECT_TRUE(json["n"].as_bool(true));
  EXPECT_TRUE(json["n"].items().empty() && json["s"].members().empty());
  EXPECT_TRUE(json.has("n") && !json.has("m"));
}

TEST(Json, IsBuiltAndChangedInPlace) {
  Json json;
  json.set("b", 1);
  json.set("a", Json::array()).push("x");
  json.find("a")->push(2.5);
  json.set("b", "two");
  EXPECT_EQ(json.to_string(), R"({"b":"two","a":["x",2.5]})");
  EXPECT_EQ(json.to_pretty_string(),
            "{\n  \"b\": \"two\",\n  \"a\": [\n    \"x\",\n    2.5\n  ]\n}");
  json.erase("b");
  json.erase("none");
  EXPECT_EQ(json.to_string(), R"({"a":["x",2.5]})");
  Json list;
  list.push(1);
  EXPECT_EQ(list.to_string(), "[1]") << "push makes a null value an array";
}

TEST(Json, EqualityGoesByTypeValueAndOrder) {
  EXPECT_EQ(parsed("[1,{\"a\":\"b\"}]"), parsed(" [ 1 , {\"a\":\"b\"} ] "));
  EXPECT_FALSE(Json(1) == Json(true));
  EXPECT_FALSE(Json("1") == Json(1));
  EXPECT_FALSE(parsed("{\"a\":1,\"b\":2}") == parsed("{\"b\":2,\"a\":1}"));
  EXPECT_EQ(Json(), Json());
}

TEST(JsonString, OutputIsValidForAnyInput) {
  struct Case {
    std::string text, want;
  };
  for (const Case& c :
       {Case{"a\xff"s, "\"a\xef\xbf\xbd\""}, Case{"\xc0\xaf"s, "\"\xef\xbf\xbd\xef\xbf\xbd\""},
        Case{"\xe2\x82"s, "\"\xef\xbf\xbd\xef\xbf\xbd\""},
        Case{"\xed\xa0\x80"s, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        Case{"\xf4\x90\x80\x80"s, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        Case{"\xf0\x9f\x98\x80"s, "\"\xf0\x9f\x98\x80\""},
        Case{"\n\0\x7f"s, "\"\\u000a\\u0000\\u007f\""}}) {
    std::string out;
    append_json_string(out, c.text);
    EXPECT_EQ(out, c.want);
    EXPECT_TRUE(Json::parse(out).ok());
  }
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      std::string out;
      append_json_string(out, std::string{static_cast<char>(a), static_cast<char>(b), 'x'});
      ASSERT_TRUE(Json::parse(out).ok()) << a << " " << b;
    }
  }
}

}  // namespace
}  // namespace weir::base
