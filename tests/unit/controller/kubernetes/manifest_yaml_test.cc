#include "controller/kubernetes/manifest_yaml.h"

#include <gtest/gtest.h>

namespace weir::kubernetes {
namespace {

std::string first(std::string_view text) {
  const auto parsed = parse_yaml(text);
  if (!parsed.ok()) return "error: " + parsed.error().text;
  return parsed.value().empty() ? "none" : parsed.value().front().value.to_string();
}

TEST(ParseYaml, GivesPlainScalarsTheTypeOfTheCoreSchemaAndQuotedOnesText) {
  struct Case {
    std::string_view text, want;
  };
  for (const Case& c : {
           Case{"a: 80", R"({"a":80})"},
           Case{"a: '80'", R"({"a":"80"})"},
           Case{"a: \"true\"", R"({"a":"true"})"},
           Case{"a: true", R"({"a":true})"},
           Case{"a: False", R"({"a":false})"},
           Case{"a: yes", R"({"a":"yes"})"},
           Case{"a: on", R"({"a":"on"})"},
           Case{"a: ~", R"({"a":null})"},
           Case{"a:", R"({"a":null})"},
           Case{"a: null", R"({"a":null})"},
           Case{"a: ''", R"({"a":""})"},
           Case{"a: 0x1F", R"({"a":31})"},
           Case{"a: 0o17", R"({"a":15})"},
           Case{"a: -7", R"({"a":-7})"},
           Case{"a: +7", R"({"a":7})"},
           Case{"a: +-7", R"({"a":"+-7"})"},
           Case{"a: 1.5", R"({"a":1.5})"},
           Case{"a: .5", R"({"a":0.5})"},
           Case{"a: 1e3", R"({"a":1000})"},
           Case{"a: 1.2.3", R"({"a":"1.2.3"})"},
           Case{"a: 10.0.0.7", R"({"a":"10.0.0.7"})"},
           Case{"a: '-'", R"({"a":"-"})"},
           Case{"a: 12m", R"({"a":"12m"})"},
           Case{"a: 1_000", R"({"a":"1_000"})"},
           Case{"a: 2026-01-02", R"({"a":"2026-01-02"})"},
           Case{"a: !!str 80", R"({"a":"80"})"},
           Case{"a: !!int '80'", R"({"a":80})"},
           Case{"a: |\n  x\n  y\n", "{\"a\":\"x\\u000ay\\u000a\"}"},
           Case{"80: x", R"({"80":"x"})"},
           Case{"[1, [a, {b: c}], {}]", R"([1,["a",{"b":"c"}],{}])"},
           Case{R"({"a": [1, "2", null, {"b": true}]})", R"({"a":[1,"2",null,{"b":true}]})"},
       }) {
    EXPECT_EQ(first(c.text), c.want) << c.text;
  }
}

TEST(ParseYaml, FollowsAnchorsAndMergeKeys) {
  EXPECT_EQ(first("a: &x {p: 1}\nb: *x\nc: &y text\nd: *y"),
            R"({"a":{"p":1},"b":{"p":1},"c":"text","d":"text"})");
  EXPECT_EQ(first("a: &x {p: 1, q: 2}\nb:\n  <<: *x\n  q: 3"),
            R"({"a":{"p":1,"q":2},"b":{"q":3,"p":1}})");
  EXPECT_EQ(first("a: &x {p: 1}\nb: &y {r: 4}\nc: {<<: [*x, *y]}"),
            R"({"a":{"p":1},"b":{"r":4},"c":{"p":1,"r":4}})");
  EXPECT_EQ(first("'<<': 1"), R"({"<<":1})");
}

TEST(ParseYaml, SplitsDocumentsAndKnowsTheirLines) {
  const auto parsed = parse_yaml("# nothing\n---\na: 1\n---\n# empty\n---\nb: 2\n");
  ASSERT_TRUE(parsed.ok());
  ASSERT_EQ(parsed.value().size(), 2U);
  EXPECT_EQ(parsed.value()[0].value.to_string(), R"({"a":1})");
  EXPECT_LE(parsed.value()[0].line, 3);
  EXPECT_EQ(parsed.value()[1].value.to_string(), R"({"b":2})");
  EXPECT_GE(parsed.value()[1].line, 6);
  EXPECT_EQ(first(""), "none");
  EXPECT_EQ(first("# only a comment\n"), "none");
  EXPECT_EQ(first("\xef\xbb\xbf"
                  "a: 1\n"),
            R"({"a":1})")
      << "a byte order mark";
}

TEST(ParseYaml, NamesTheLineOfAMistake) {
  struct Case {
    std::string_view text, part;
  };
  for (const Case& c : {
           Case{"a: 1\nb: [1, 2\nc: 3\n", "line "},
           Case{"a: 1\na: 2\n", "line 2: key \"a\" stands twice"},
           Case{"a: *nobody\n", "line 1: "},
           Case{"? [x]\n: 1\n", "a map key must be a scalar"},
           Case{"a: 1\n<<: 5\n", "takes a map"},
           Case{"a:\n\t- b\n", "line 2: "},
           Case{"a: *a\n", "line 1: the alias *a names no anchor that is complete"},
           Case{"a: &x {b: *x}\n", "line 1: the alias *x names no anchor that is complete"},
           Case{"a: &x [1]\n*x : 2\n", "line 2: a map key must be a scalar"},
           Case{", ", "line 1: did not find expected node content"},
           Case{"\"a\",b", "line 1: did not find expected <document start>"},
           Case{"a: 1\nb: \x01\n", "line 2: control characters are not allowed"},
           Case{"a: 1\nb: \xff\n", "line 2: invalid leading UTF-8 octet"},
       }) {
    EXPECT_NE(first(c.text).find("error: "), std::string::npos) << c.text;
    EXPECT_NE(first(c.text).find(c.part), std::string::npos) << c.text << " gave " << first(c.text);
  }
}

TEST(ParseYaml, IsBoundedForHostileInput) {
  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) laughs += (k > 0 ? ", " : "") + before;
    laughs += "]\n";
  }
  EXPECT_NE(first(laughs).find("aliases expand to more than 200000 values"), std::string::npos);
  EXPECT_NE(first(std::string(100'000, '[')).find("nested more than 500 levels"),
            std::string::npos);
  EXPECT_EQ(first(std::string(500, '[') + std::string(500, ']')).substr(0, 3), "[[[");
}

}  // namespace
}  // namespace weir::kubernetes
