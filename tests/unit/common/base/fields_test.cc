#include "common/base/fields.h"

#include <gtest/gtest.h>

namespace weir::base {
namespace {

using namespace std::chrono_literals;

enum class Mode : std::uint8_t { kOff, kSlow, kFast };
EnumNames enum_names(Mode) { return {"off", "slow", "fast"}; }

struct Bind {
  std::string address = "::";
  std::uint16_t port = 80;
  bool operator==(const Bind&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("address", &Bind::address), field("port", &Bind::port));
  }
};

struct Nested {
  bool on = true;
  std::int8_t small = 0;
  std::uint64_t large = 0;
  std::string text;
  std::chrono::milliseconds wait{250};
  std::chrono::seconds age{1};
  Mode mode = Mode::kSlow;
  std::optional<Bind> extra;
  std::optional<int> maybe = 7;
  std::vector<Bind> binds;
  std::vector<std::string> names;
  bool operator==(const Nested&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("on", &Nested::on), field("small", &Nested::small),
              field("large", &Nested::large), field("text", &Nested::text),
              field("wait_ms", &Nested::wait), field("age_s", &Nested::age),
              field("mode", &Nested::mode), field("extra", &Nested::extra),
              field("maybe", &Nested::maybe), field("binds", &Nested::binds),
              field("names", &Nested::names));
  }
};

Result<Nested> read(std::string_view text) { return decode<Nested>(Json::parse(text).value()); }

TEST(Fields, DefaultsAreLeftOutAndComeBack) {
  EXPECT_EQ(encode(Nested{}).to_string(), "{}");
  const auto got = read("{}");
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got.value(), Nested{});
}

TEST(Fields, EveryKindOfValueSurvivesTheWayThere) {
  Nested sample;
  sample.on = false;
  sample.small = -128;
  sample.large = INT64_MAX;
  sample.text = std::string("\0x\xc3\xa9", 4);
  sample.wait = 0ms;
  sample.age = 86'400s;
  sample.mode = Mode::kOff;
  sample.extra = Bind{};
  sample.maybe.reset();
  sample.binds = {Bind{}, Bind{"10.0.0.1", 65'535}};
  sample.names = {"", "a"};
  const Json json = encode(sample);
  EXPECT_EQ(
      json.to_string(),
      "{\"on\":false,\"small\":-128,\"large\":9223372036854775807,\"text\":\"\\u0000x\xc3\xa9\","
      "\"wait_ms\":0,\"age_s\":86400,\"mode\":\"off\",\"extra\":{},\"maybe\":null,"
      "\"binds\":[{},{\"address\":\"10.0.0.1\",\"port\":65535}],\"names\":[\"\",\"a\"]}");
  const auto got = decode<Nested>(json);
  ASSERT_TRUE(got.ok()) << got.error().text;
  EXPECT_EQ(got.value(), sample);
}

TEST(Fields, ErrorsNameThePathTheValueAndTheAcceptedForm) {
  struct Case {
    std::string_view json, text;
  };
  for (const Case& c :
       {Case{R"({"binds":[{},{"port":70000}]})", "binds[1].port: 70000 is not in 0..65535"},
        Case{R"({"extra":{"address":5}})", "extra.address: 5 is not a string"},
        Case{R"({"small":128})", "small: 128 is not in -128..127"},
        Case{R"({"small":1.0})", "small: 1 is not a whole number"},
        Case{R"({"large":-1})", "large: -1 is not in 0..18446744073709551615"},
        Case{R"({"on":1})", "on: 1 is not true or false"},
        Case{R"({"mode":"warp"})", "mode: \"warp\" is not one of off slow fast"},
        Case{R"({"mode":1})", "mode: 1 is not one of off slow fast"},
        Case{R"({"names":"a"})", "names: \"a\" is not a list"},
        Case{R"({"names":[null]})", "names[0]: null is not a string"},
        Case{R"({"wait_ms":"5s"})", "wait_ms: \"5s\" is not a whole number"},
        Case{R"({"wait_ms":-1})", "wait_ms: -1 is not in 0..315360000000"},
        Case{R"({"wait_ms":9223372036854775807})",
             "wait_ms: 9223372036854775807 is not in 0..315360000000"},
        Case{R"({"age_s":315360001})", "age_s: 315360001 is not in 0..315360000"},
        Case{R"({"maybe":"x"})", "maybe: \"x\" is not a whole number"},
        Case{"[]", "[] is not an object"}}) {
    const auto got = read(c.json);
    ASSERT_FALSE(got.ok()) << c.json;
    EXPECT_EQ(got.error().kind, ErrorKind::kInvalid);
    EXPECT_EQ(got.error().text, c.text);
  }
}

TEST(Fields, FirstErrorOfSeveralIsReportedAndUnknownMembersAreIgnored) {
  const auto got = read(R"({"text":1,"small":"x","on":3})");
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().text, "on: 3 is not true or false") << "in the order of the field list";
  EXPECT_TRUE(read(R"({"future":{"x":[1,2]},"text":"t"})").ok());
}

}  // namespace
}  // namespace weir::base
