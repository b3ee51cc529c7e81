#include "controller/kubernetes/known_objects.h"

#include <gtest/gtest.h>

#include "controller/kubernetes/backoff.h"

namespace weir::kubernetes {
namespace {

TEST(KnownObjects, ARoundGivesOnlyWhatItDidNotName) {
  KnownObjects known;
  EXPECT_TRUE(known.put("a", "x", "1"));
  EXPECT_TRUE(known.put("a", "y", "2"));
  EXPECT_TRUE(known.put("", "z", "3"));
  EXPECT_FALSE(known.put("a", "x", "1"));
  known.begin_round();
  EXPECT_EQ(known.seen(), 0U);
  EXPECT_FALSE(known.put("a", "x", "1"));
  EXPECT_TRUE(known.put("", "z", "4"));
  EXPECT_EQ(known.seen(), 2U);
  using Gone = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(known.take_unseen(), (Gone{{"a", "y"}}));
  EXPECT_EQ(known.size(), 2U);
  EXPECT_TRUE(known.remove("", "z"));
  EXPECT_FALSE(known.remove("", "z"));
}

TEST(Backoff, DoublesUpToItsLimitWithJitter) {
  const WatchTimings timings;
  Jitter jitter(1);
  Backoff backoff(timings, jitter);
  std::int64_t base = 800;
  for (int i = 0; i < 12; ++i) {
    const auto wait = backoff.next().count();
    EXPECT_GE(wait, base * 4 / 5);
    EXPECT_LE(wait, base * 6 / 5);
    base = std::min<std::int64_t>(base * 2, 30'000);
  }
  backoff.reset();
  EXPECT_LE(backoff.next().count(), 960);
}

}  // namespace
}  // namespace weir::kubernetes
