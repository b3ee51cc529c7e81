#include "tests/bytes/corpus.h"

#include <gtest/gtest.h>

#include <set>

namespace weir::bytes {
namespace {

TEST(Corpus, ReadsEveryKindOfLine) {
  const auto cases = parse_corpus(
      "# comment\n"
      "case one\nrow 5\nrule RFC 9112 5.1\nin \"a\\r\\n\"\nin \"\\x00\\{3*ab}\\\"\"\n"
      "forwards GET / h\nhas \"X: 1 2\"\nlacks Y\nbody \"b\"\nrefused 400\nonly-process\n");
  ASSERT_TRUE(cases.ok());
  ASSERT_EQ(cases.value().size(), 1U);
  const Case& c = cases.value()[0];
  EXPECT_EQ(c.name, "one");
  EXPECT_EQ(c.row, 5);
  EXPECT_EQ(c.rule, "RFC 9112 5.1");
  EXPECT_EQ(c.bytes, std::string("a\r\n\0ababab\"", 11));
  ASSERT_EQ(c.forwarded.size(), 1U);
  EXPECT_EQ(c.forwarded[0].authority, "h");
  EXPECT_EQ(c.forwarded[0].fields[0].second, "1 2");
  EXPECT_EQ(c.forwarded[0].absent[0], "Y");
  EXPECT_EQ(c.forwarded[0].body, "b");
  EXPECT_EQ(c.refused, 400);
  EXPECT_TRUE(c.only_process);
}

TEST(Corpus, NamesTheLineThatItCannotRead) {
  for (const std::string_view text :
       {"row 5\n", "case a\nin unquoted\n", "case a\nin \"\\q\"\n", "case a\nrefused 200\n",
        "case a\nhas \"X: 1\"\n", "case a\nforwards GET\n", "case a\nin \"\\{9999999*a}\"\n"}) {
    const auto cases = parse_corpus(text);
    ASSERT_FALSE(cases.ok()) << text;
    EXPECT_NE(cases.error().text.find("line "), std::string::npos);
  }
}

TEST(Corpus, OfTheRepositoryIsWholeAndNamesEachCaseOnce) {
  const auto cases = load_corpus();
  ASSERT_TRUE(cases.ok()) << cases.error().text;
  EXPECT_GE(cases.value().size(), 200U);
  std::set<std::string> names;
  std::set<int> rows;
  for (const Case& c : cases.value()) {
    EXPECT_TRUE(names.insert(c.name).second) << "twice: " << c.name;
    EXPECT_FALSE(c.rule.empty() || c.bytes.empty()) << c.name;
    EXPECT_TRUE(c.refused != 0 || !c.forwarded.empty()) << "no verdict: " << c.name;
    rows.insert(c.row);
  }
  for (const int row : {1, 2, 4, 5, 6, 7, 8, 16, 21, 22, 25, 26})
    EXPECT_TRUE(rows.contains(row)) << row;
}

}  // namespace
}  // namespace weir::bytes
