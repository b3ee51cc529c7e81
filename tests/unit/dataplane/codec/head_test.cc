#include "dataplane/codec/head.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/unit/dataplane/codec/scripted.h"

namespace weir::codec {
namespace {

TEST(FieldId, KnowsEveryNameInAnyCaseAndNoOther) {
  for (int i = 1; i <= static_cast<int>(FieldId::kXScheme); ++i) {
    const auto id = static_cast<FieldId>(i);
    std::string name(field_name(id));
    ASSERT_FALSE(name.empty()) << i;
    EXPECT_EQ(field_id(name), id) << name;
    for (std::size_t at = 0; at < name.size(); ++at) {  // case is a letter's alone
      std::string other = name;
      other[at] = static_cast<char>(other[at] ^ 0x20);
      EXPECT_EQ(field_id(other), std::isalpha(name[at]) != 0 ? id : FieldId::kOther) << other;
    }
    for (char& c : name) c = static_cast<char>(std::toupper(c));
    EXPECT_EQ(field_id(name), id) << name;
    EXPECT_EQ(field_id(name + "x"), FieldId::kOther) << name;
    name.back() = '_';
    EXPECT_EQ(field_id(name), FieldId::kOther) << name;
  }
  for (const std::string_view other : {"", "x", "hos", "x-custom", "x_forwarded_for", "H\x0fst"}) {
    EXPECT_EQ(field_id(other), FieldId::kOther) << other;
  }
}

TEST(Head, KeepsOrderAndCaseAndSkipsWhatWasRemoved) {
  Head head;
  head.set_method("GET");
  head.set_target("/p?q");
  head.add("X-A", "1");
  head.add("Host", "h");
  head.add("x-a", "2");
  head.add("Empty", "");
  EXPECT_EQ(to_text(head), "GET /p?q @ | X-A: 1 | Host: h | x-a: 2 | Empty: ");
  EXPECT_EQ(head.find("x-A"), "1");
  EXPECT_EQ(head.find(FieldId::kHost), "h");
  EXPECT_EQ(head.find(FieldId::kOther), std::nullopt);
  EXPECT_EQ(head.find("empty"), "");
  head.set("X-a", "3");
  EXPECT_EQ(to_text(head), "GET /p?q @ | X-A: 3 | Host: h | Empty: ");
  head.remove(FieldId::kHost);
  head.remove("EMPTY");
  EXPECT_EQ(head.field_count(), 1U);
  EXPECT_EQ(head.count(FieldId::kHost), 0U);
  head.set("Host", "again");
  EXPECT_EQ(to_text(head), "GET /p?q @ | X-A: 3 | Host: again");
}

TEST(Head, SplitsTheTargetIntoPathAndQuery) {
  struct Case {
    std::string_view target, path, query;
  };
  for (const Case& c : {Case{"/a", "/a", ""}, Case{"/a?", "/a", ""}, Case{"/a?b?c", "/a", "b?c"},
                        Case{"*", "*", ""}}) {
    Head head;
    head.set_target(c.target);
    EXPECT_EQ(head.path(), c.path);
    EXPECT_EQ(head.query(), c.query);
  }
}

TEST(Head, TakesTextOutOfItsOwnBlockWhileTheBlockMoves) {
  Head head;
  head.add("A", "value");
  for (int i = 0; i < 500; ++i) head.add("Name-Of-Some-Length", std::to_string(i) + "-filler");
  head.add("New-Name", *head.find("A"));
  head.add(std::string(5'000, 'n'), *head.find("A"));
  head.set("A", *head.find("New-Name"));
  EXPECT_EQ(head.find("A"), "value");
  EXPECT_EQ(head.find("New-Name"), "value");
  EXPECT_EQ(head.find(std::string(5'000, 'N')), "value");
}

TEST(Head, CopyIsIndependent) {
  Head head;
  head.set_status(404, "Gone fishing");
  head.add("A", "1");
  Head copy;
  copy.copy_from(head);
  head.set("A", "2");
  EXPECT_EQ(to_text(copy), "404 Gone fishing | A: 1");
}

TEST(HeadPool, GivesTheSameHeadAgainClearedAndDropsLargeBlocks) {
  HeadPool pool;
  const Head* first = nullptr;
  {
    HeadPtr head = pool.take();
    head->add("A", "1");
    first = head.get();
  }
  HeadPtr again = pool.take();
  EXPECT_EQ(again.get(), first);
  EXPECT_EQ(again->field_count(), 0U);
  EXPECT_GT(again->capacity(), 0U);
  again->add("Big", std::string(20'000, 'x'));
  again.reset();
  EXPECT_EQ(pool.take()->capacity(), 0U);
}

}  // namespace
}  // namespace weir::codec
