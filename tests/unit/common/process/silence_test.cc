#include "common/process/silence.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

namespace weir::process {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kEvery{100};

struct Turn {
  bool would_run;
  milliseconds ran;  // since the look before
};

// Silent for a second already, then so many looks of one kind.
milliseconds after(int looks, Turn turn) {
  base::TimePoint now{seconds(100)};
  Silence silence(kEvery);
  silence.heard(now);
  Glance seen;
  for (int i = 0; i < 10; ++i) silence.add(now += kEvery, std::nullopt);
  silence.add(now += kEvery, seen);  // the first glance has none to compare with
  for (int i = 0; i < looks; ++i) {
    seen.would_run = turn.would_run;
    seen.cpu += turn.ran;
    silence.add(now += kEvery, seen);
  }
  return std::chrono::duration_cast<milliseconds>(silence.counted());
}

TEST(Silence, WhatSleepsOrIsStoppedIsSilentByTheClock) {
  EXPECT_EQ(after(30, {.would_run = false, .ran = milliseconds(0)}), milliseconds(4'100));
}

TEST(Silence, WhatSpinsIsSilentByTheClockToo) {
  EXPECT_EQ(after(30, {.would_run = true, .ran = milliseconds(100)}), milliseconds(4'100));
  EXPECT_EQ(after(30, {.would_run = true, .ran = milliseconds(400)}), milliseconds(4'100))
      << "four threads make no four times";
}

TEST(Silence, WhatWaitsForAProcessorIsSilentOnlyWhileItRuns) {
  EXPECT_EQ(after(100, {.would_run = true, .ran = milliseconds(10)}), milliseconds(2'100));
  EXPECT_EQ(after(600, {.would_run = true, .ran = milliseconds(0)}), milliseconds(1'100));
}

TEST(Silence, ASignOfLifeStartsItAnew) {
  base::TimePoint now{seconds(100)};
  Silence silence(kEvery);
  silence.heard(now);
  for (int i = 0; i < 12; ++i) silence.add(now += kEvery, std::nullopt);
  EXPECT_TRUE(silence.questioned());
  silence.heard(now);
  EXPECT_FALSE(silence.questioned());
  EXPECT_EQ(silence.counted(), seconds(0));
  silence.add(now += kEvery, std::nullopt);
  EXPECT_EQ(silence.counted(), kEvery);
}

TEST(Silence, TheWatchersOwnStandstillIsNotTheOthersSilence) {
  base::TimePoint now{seconds(100)};
  Silence silence(kEvery);
  silence.heard(now);
  silence.add(now + seconds(60), std::nullopt);
  EXPECT_EQ(silence.counted(), 2 * kEvery);
}

// A child that spins or sleeps until it is killed.
class Child {
 public:
  explicit Child(bool spins) : pid_(fork()) {
    while (pid_ == 0 && spins) {
      [[maybe_unused]] volatile int work = 0;
      work = work + 1;
    }
    while (pid_ == 0) pause();
  }
  ~Child() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  pid_t pid() const { return pid_; }

 private:
  const pid_t pid_;
};

// Bounded; for a process that is not yet what it will be.
bool comes_to_be(pid_t pid, bool would_run) {
  for (int i = 0; i < 500; ++i) {
    const auto seen = glance(pid);
    if (seen.has_value() && seen->would_run == would_run) return true;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return false;
}

TEST(Glance, TellsWhatSpinsFromWhatSleepsAndWhatIsStopped) {
  const Child spinning(true);
  const Child sleeping(false);
  EXPECT_TRUE(comes_to_be(spinning.pid(), true));
  EXPECT_TRUE(comes_to_be(sleeping.pid(), false));
  const auto before = glance(spinning.pid());
  ASSERT_TRUE(before.has_value());
  bool ran = false;
  for (int i = 0; i < 500 && !ran; ++i) {
    std::this_thread::sleep_for(milliseconds(10));
    ran = glance(spinning.pid())->cpu > before->cpu;
  }
  EXPECT_TRUE(ran);
  kill(spinning.pid(), SIGSTOP);
  EXPECT_TRUE(comes_to_be(spinning.pid(), false));
}

// What has begun a vfork is uninterruptible until its child is gone, as if it read from a slow
// disk.
TEST(Glance, WhatTheKernelHoldsWouldRun) {
  const pid_t held = fork();
  if (held == 0) {
    const pid_t parent = getpid();
    if (syscall(SYS_clone, CLONE_VFORK | SIGCHLD, 0, 0, 0, 0) == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      while (getppid() == parent) usleep(10'000);
    }
    _exit(0);
  }
  bool stands_still = false;
  for (int i = 0; i < 50 && !stands_still; ++i) {
    const auto before = glance(held);
    std::this_thread::sleep_for(milliseconds(100));
    const auto seen = glance(held);
    // The thread sanitizer's own thread runs on.
    stands_still =
        before->would_run && seen->would_run && seen->cpu - before->cpu < milliseconds(20);
  }
  EXPECT_TRUE(stands_still);
  kill(held, SIGKILL);
  waitpid(held, nullptr, 0);
}

TEST(Glance, OfNoProcessIsEmpty) {
  pid_t gone = 0;
  {
    const Child child(false);
    gone = child.pid();
  }
  EXPECT_FALSE(glance(gone).has_value());
}

}  // namespace
}  // namespace weir::process
