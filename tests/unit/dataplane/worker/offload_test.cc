#include "dataplane/worker/offload.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <optional>

namespace weir::worker {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Runs the loop until the condition holds, at most for five seconds.
template <typename Condition>
bool run_until(loop::Loop& loop, Condition condition) {
  const auto end = std::chrono::steady_clock::now() + seconds(5);
  while (!condition() && std::chrono::steady_clock::now() < end) loop.run_once(milliseconds(10));
  return condition();
}

// Occupies the pool's only thread until released.
class Blocker {
 public:
  void work() {
    started_.set_value();
    gate_.get_future().wait();
  }
  void wait_started() { started_.get_future().wait(); }
  void release() { gate_.set_value(); }

 private:
  std::promise<void> started_;
  std::promise<void> gate_;
};

TEST(Offload, WorkRunsOnAnotherThreadAndDoneOnTheHomeThread) {
  loop::Loop home;
  Offload pool(2, 8);
  std::thread::id worked;
  std::thread::id completed;
  std::optional<bool> ran;
  OffloadHandle handle = pool.submit(
      home, seconds(5), [&] { worked = std::this_thread::get_id(); },
      [&](bool in_time) {
        completed = std::this_thread::get_id();
        ran = in_time;
      });
  EXPECT_TRUE(handle.pending());
  ASSERT_TRUE(run_until(home, [&] { return ran.has_value(); }));
  EXPECT_TRUE(*ran);
  EXPECT_NE(worked, std::this_thread::get_id());
  EXPECT_EQ(completed, std::this_thread::get_id());
  EXPECT_FALSE(handle.pending());
}

TEST(Offload, ADroppedHandleCancelsTheCompletionButNotTheWork) {
  loop::Loop home;
  Offload pool(1, 8);
  Blocker blocker;
  bool done = false;
  {
    OffloadHandle handle =
        pool.submit(home, seconds(5), [&] { blocker.work(); }, [&](bool) { done = true; });
    blocker.wait_started();
  }
  blocker.release();
  bool second = false;
  OffloadHandle other = pool.submit(home, seconds(5), [] {}, [&](bool) { second = true; });
  ASSERT_TRUE(run_until(home, [&] { return second; }));
  EXPECT_FALSE(done);
}

TEST(Offload, AssigningANewJobToAHandleCancelsTheOldOne) {
  loop::Loop home;
  Offload pool(1, 8);
  int first = 0;
  int second = 0;
  OffloadHandle handle = pool.submit(home, seconds(5), [] {}, [&](bool) { ++first; });
  handle = pool.submit(home, seconds(5), [] {}, [&](bool) { ++second; });
  ASSERT_TRUE(run_until(home, [&] { return second == 1; }));
  EXPECT_EQ(first, 0);
}

TEST(Offload, AFullQueueRefusesAndRunsNothingOfTheRefusedJob) {
  loop::Loop home;
  Offload pool(1, 1);
  Blocker blocker;
  int completed = 0;
  OffloadHandle running =
      pool.submit(home, seconds(5), [&] { blocker.work(); }, [&](bool) { ++completed; });
  blocker.wait_started();
  OffloadHandle waiting = pool.submit(home, seconds(5), [] {}, [&](bool) { ++completed; });
  EXPECT_EQ(pool.waiting(), 1U);
  OffloadHandle refused = pool.submit(home, seconds(5), [] {}, [&](bool) { completed += 100; });
  EXPECT_FALSE(refused.pending());
  EXPECT_TRUE(waiting.pending());
  blocker.release();
  ASSERT_TRUE(run_until(home, [&] { return completed == 2; }));
}

TEST(Offload, AJobThatWaitedLongerThanItsPatienceIsNotRun) {
  loop::Loop home;
  Offload pool(1, 8);
  Blocker blocker;
  OffloadHandle running = pool.submit(home, seconds(5), [&] { blocker.work(); }, [](bool) {});
  blocker.wait_started();
  std::atomic<bool> worked{false};
  std::optional<bool> ran;
  OffloadHandle late = pool.submit(
      home, milliseconds(1), [&] { worked = true; }, [&](bool in_time) { ran = in_time; });
  std::this_thread::sleep_for(milliseconds(20));
  blocker.release();
  ASSERT_TRUE(run_until(home, [&] { return ran.has_value(); }));
  EXPECT_FALSE(*ran);
  EXPECT_FALSE(worked);
}

TEST(Offload, TheEndFinishesTheRunningJobAndDropsTheWaitingOnes) {
  loop::Loop home;
  std::atomic<int> worked{0};
  Blocker blocker;
  OffloadHandle running;
  OffloadHandle waiting;
  std::thread opener;
  {
    Offload pool(1, 8);
    running = pool.submit(
        home, seconds(5),
        [&] {
          blocker.work();
          ++worked;
        },
        [](bool) {});
    blocker.wait_started();
    waiting = pool.submit(home, seconds(5), [&] { ++worked; }, [](bool) {});
    opener = std::thread([&] {
      std::this_thread::sleep_for(milliseconds(20));
      blocker.release();
    });
  }
  opener.join();
  EXPECT_EQ(worked, 1);
  home.run_once(milliseconds(0));
}

TEST(Offload, AfterStopAHomeMayEndBeforeThePoolAndANewJobIsRefused) {
  Offload pool(1, 8);
  Blocker blocker;
  std::atomic<bool> worked{false};
  std::thread opener;
  {
    loop::Loop home;
    OffloadHandle running = pool.submit(
        home, seconds(5),
        [&] {
          blocker.work();
          worked = true;
        },
        [](bool) {});
    blocker.wait_started();
    opener = std::thread([&] {
      std::this_thread::sleep_for(milliseconds(20));
      blocker.release();
    });
    pool.stop();
    EXPECT_TRUE(worked);
    EXPECT_FALSE(pool.submit(home, seconds(5), [] {}, [](bool) {}).pending());
  }
  opener.join();
}

}  // namespace
}  // namespace weir::worker
