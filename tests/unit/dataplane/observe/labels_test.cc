#include "dataplane/observe/labels.h"

#include <gtest/gtest.h>

namespace weir::observe {
namespace {

model::RouteLabels labels(int i) { return {"shop", "cart-" + std::to_string(i), "svc", "/"}; }

TEST(Labels, EqualSetsShareAnIdAndDifferentOnesDoNot) {
  Labels known;
  const auto a = known.intern("a.test", labels(1));
  EXPECT_EQ(known.intern("a.test", labels(1)), a);
  EXPECT_NE(known.intern("b.test", labels(1)), a);
  EXPECT_NE(known.intern("a.test", labels(2)), a);
  EXPECT_EQ(known.size(), 3U);
  ASSERT_NE(known.find(a), nullptr);
  EXPECT_EQ(known.find(a)->host, "a.test");
  EXPECT_EQ(known.find(a)->route, labels(1));
}

TEST(Labels, ASetLivesUntilItsLastUserLetsGoAndItsIdNeverComesBack) {
  Labels known;
  const auto id = known.intern("a.test", labels(1));
  known.intern("a.test", labels(1));
  known.release(id);
  EXPECT_NE(known.find(id), nullptr);
  known.release(id);
  EXPECT_EQ(known.find(id), nullptr);
  EXPECT_EQ(known.try_gone(id), true);
  EXPECT_NE(known.intern("a.test", labels(1)), id);
}

TEST(Labels, OverTheBoundEverythingIsOther) {
  Labels known(2);
  known.intern("a.test", labels(1));
  const auto second = known.intern("a.test", labels(2));
  EXPECT_EQ(known.intern("a.test", labels(3)), Labels::kOther);
  EXPECT_EQ(known.overflows(), 1U);
  EXPECT_EQ(known.find(Labels::kOther)->route.ingress, "_other");
  known.release(Labels::kOther);
  known.release(Labels::kNone);
  known.release(second);
  EXPECT_NE(known.intern("a.test", labels(3)), Labels::kOther);
}

}  // namespace
}  // namespace weir::observe
