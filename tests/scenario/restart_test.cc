// How soon a worker process that died is back: reliability row 11, measured.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>

#include "tests/scenario/harness/stage.h"

namespace weir::scenario {
namespace {

TEST(Restart, AWorkerProcessThatIsKilledIsBackAtOnceAndNoConnectionIsRefused) {
  Stage stage;
  stage.serve("a", {"a-0", "a-1"});
  stage.files["a.yaml"] = simple_ingress("a", "a.test", "a");
  Weir weir(stage.files, {});
  ASSERT_TRUE(weir.ready());
  std::vector<double> away;
  int refused = 0;
  const int times = kSlowness > 1 ? 2 : 7;
  for (int i = 0; i < times; ++i) {
    nap(Millis(1'200));  // one that dies young again and again is started with a growing pause
    const pid_t worker = weir.worker();
    ASSERT_GT(worker, 0);
    ASSERT_TRUE(send_signal(worker, SIGKILL));
    const Clock::time_point start = Clock::now();
    const Deadline deadline;
    for (;;) {
      const Answer answer = ask_once(weir.http(), {});
      refused += answer.outcome == Outcome::kNotConnected ? 1 : 0;
      if (answer.status == 200) break;
      ASSERT_FALSE(deadline.over()) << "not back: " << answer.to_string();
      nap(Millis(1));
    }
    away.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
    ASSERT_TRUE(eventually([&] { return weir.admin_ready(weir.admin_port()); }));
  }
  std::sort(away.begin(), away.end());
  std::printf(
      "[ restart ] worker process killed %d times: first 200 after %.0f ms (median), %.0f ms "
      "(worst); refused connections: %d\n",
      times, away[away.size() / 2], away.back(), refused);
  EXPECT_EQ(refused, 0);
  EXPECT_LT(away[away.size() / 2], 200.0 * kSlowness * kSlowness);
}

}  // namespace
}  // namespace weir::scenario
