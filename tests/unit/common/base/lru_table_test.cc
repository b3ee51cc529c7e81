#include "common/base/lru_table.h"

#include <gtest/gtest.h>

namespace weir::base {
namespace {

TEST(LruTable, OneMoreTakesThePlaceOfWhatWasUsedLongestAgo) {
  LruTable<int> table(2);
  table.add("a", 1);
  table.add("b", 2);
  ASSERT_NE(table.find("a"), nullptr);
  EXPECT_EQ(table.add("c", 3), 3);
  EXPECT_EQ(table.size(), 2U);
  EXPECT_EQ(table.find("b"), nullptr);
  EXPECT_EQ(*table.find("a"), 1);
  EXPECT_EQ(*table.find("c"), 3);
}

TEST(LruTable, DropsWhatTheConditionHoldsFor) {
  LruTable<int> table(9);
  for (int i = 0; i < 6; ++i) table.add(std::to_string(i), i);
  table.drop_if([](int value) { return value % 2 == 0; });
  EXPECT_EQ(table.size(), 3U);
  EXPECT_EQ(table.find("4"), nullptr);
  EXPECT_EQ(*table.find("5"), 5);
  EXPECT_EQ(table.add("4", 40), 40) << "the name is free again";
}

TEST(LruTable, DropsWhatWasNotUsedSinceTheLastCall) {
  LruTable<int> table(9);
  table.add("a", 1);
  table.add("b", 2);
  table.drop_unused();
  EXPECT_EQ(table.size(), 2U) << "an added value counts as used";
  EXPECT_EQ(*table.find("a"), 1);
  table.drop_unused();
  EXPECT_EQ(table.size(), 1U);
  EXPECT_EQ(*table.find("a"), 1);
  table.drop_unused();
  table.drop_unused();
  EXPECT_EQ(table.size(), 0U);
}

}  // namespace
}  // namespace weir::base
