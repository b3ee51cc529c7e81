#include "common/process/silence.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

namespace weir::process {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kEvery{100};

struct Turn {
  bool runnable;
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
    seen.runnable = turn.runnable;
    seen.cpu += turn.ran;
    silence.add(now += kEvery, seen);
  }
  return std::chrono::duration_cast<milliseconds>(silence.counted());
}

TEST(Silence, WhatSleepsOrIsStoppedIsSilentByTheClock) {
  EXPECT_EQ(after(30, {.runnable = false, .ran = milliseconds(0)}), milliseconds(4'100));
}

TEST(Silence, WhatSpinsIsSilentByTheClockToo) {
  EXPECT_EQ(after(30, {.runnable = true, .ran = milliseconds(100)}), milliseconds(4'100));
  EXPECT_EQ(after(30, {.runnable = true, .ran = milliseconds(400)}), milliseconds(4'100))
      << "four threads make no four times";
}

TEST(Silence, WhatWaitsForAProcessorIsSilentOnlyWhileItRuns) {
  EXPECT_EQ(after(100, {.runnable = true, .ran = milliseconds(10)}), milliseconds(2'100));
  EXPECT_EQ(after(600, {.runnable = true, .ran = milliseconds(0)}), milliseconds(1'100));
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
bool comes_to_be(pid_t pid, bool runnable) {
  for (int i = 0; i < 500; ++i) {
    const auto seen = glance(pid);
    if (seen.has_value() && seen->runnable == runnable) return true;
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
