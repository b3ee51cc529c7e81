#include "common/process/restart_pause.h"

#include <gtest/gtest.h>

namespace weir::process {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(RestartPause, TheFirstQuickEndsCostNothingThenTheWaitDoublesUpToItsBound) {
  RestartPause pause;
  EXPECT_EQ(pause.after(milliseconds(5)), milliseconds(0));
  EXPECT_EQ(pause.after(milliseconds(5)), milliseconds(0));
  for (const int expected : {100, 200, 400, 800, 1'600, 3'200, 5'000, 5'000, 5'000}) {
    EXPECT_EQ(pause.after(milliseconds(5)), milliseconds(expected));
  }
}

TEST(RestartPause, ALongLifeForgivesEverything) {
  RestartPause pause;
  for (int i = 0; i < 10; ++i) pause.after(milliseconds(5));
  EXPECT_EQ(pause.after(seconds(2)), milliseconds(0));
  EXPECT_EQ(pause.after(milliseconds(5)), milliseconds(0));
  EXPECT_EQ(pause.after(milliseconds(5)), milliseconds(0));
  EXPECT_EQ(pause.after(milliseconds(5)), milliseconds(100));
}

}  // namespace
}  // namespace weir::process
