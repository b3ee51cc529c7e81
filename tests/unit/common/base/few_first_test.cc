#include "common/base/few_first.h"

#include <gtest/gtest.h>

#include <memory>

namespace weir::base {
namespace {

using List = FewFirst<std::shared_ptr<int>, 2>;

std::vector<int> content(const List& list) {
  std::vector<int> out;
  for (const auto& item : list) out.push_back(*item);
  return out;
}

List of(int count) {
  List list;
  for (int i = 0; i < count; ++i) list.push_back(std::make_shared<int>(i));
  return list;
}

TEST(FewFirst, KeepsItsOrderAcrossTheEdge) {
  for (int count = 0; count < 6; ++count) {
    const List list = of(count);
    std::vector<int> wanted;
    for (int i = 0; i < count; ++i) wanted.push_back(i);
    EXPECT_EQ(content(list), wanted);
    EXPECT_EQ(list.size(), wanted.size());
    EXPECT_EQ(list.empty(), count == 0);
    if (count > 0) {
      EXPECT_EQ(*list[list.size() - 1], count - 1);
    }
  }
}

TEST(FewFirst, ErasesAnywhereAndLetsGo) {
  for (int gone = 0; gone < 5; ++gone) {
    List list = of(5);
    const std::weak_ptr<int> item = list[static_cast<std::size_t>(gone)];
    list.erase_if([gone](const auto& one) { return *one == gone; });
    EXPECT_TRUE(item.expired());
    EXPECT_EQ(list.size(), 4U);
    EXPECT_EQ(list.find_if([gone](const auto& one) { return *one == gone; }), nullptr);
    list.push_back(std::make_shared<int>(9));
    EXPECT_EQ(content(list).back(), 9);
  }
  List list = of(3);
  list.clear();
  EXPECT_TRUE(list.empty());
  list.push_back(std::make_shared<int>(7));
  EXPECT_EQ(content(list), std::vector<int>{7});
}

TEST(FewFirst, FindsBeforeAndBehindTheEdge) {
  const List list = of(4);
  for (int i = 0; i < 4; ++i) {
    const auto* found = list.find_if([i](const auto& one) { return *one == i; });
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(**found, i);
  }
}

}  // namespace
}  // namespace weir::base
