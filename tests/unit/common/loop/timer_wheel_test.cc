#include "common/loop/timer_wheel.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <random>
#include <vector>

namespace weir::loop {
namespace {

using namespace std::chrono_literals;

class TimerWheelTest : public testing::Test {
 protected:
  void pass(base::Duration by) {
    clock_.advance(by);
    wheel_.advance(clock_.now());
  }
  base::TimePoint in(base::Duration by) const { return clock_.now() + by; }

  base::ManualClock clock_;
  TimerWheel wheel_{clock_.now()};
  int fired_ = 0;
};

TEST_F(TimerWheelTest, FiresOnceNeverEarlyAndAtMostATickLate) {
  Timer timer(wheel_, [this] { ++fired_; });
  timer.arm(in(105ms));
  pass(104ms);
  EXPECT_EQ(fired_, 0);
  pass(11ms);
  EXPECT_EQ(fired_, 1);
  EXPECT_FALSE(timer.armed());
  pass(100s);
  EXPECT_EQ(fired_, 1);
}

TEST_F(TimerWheelTest, CancelledMovedAndDestroyedTimersDoNotFireAtTheOldTime) {
  Timer cancelled(wheel_, [this] { fired_ += 1; });
  Timer later(wheel_, [this] { fired_ += 10; });
  Timer sooner(wheel_, [this] { fired_ += 100; });
  std::optional<Timer> destroyed;
  destroyed.emplace(wheel_, [this] { fired_ += 1000; });
  for (Timer* timer : {&cancelled, &later, &sooner, &*destroyed}) timer->arm(in(50ms));
  cancelled.cancel();
  later.arm(in(90ms));
  sooner.arm(in(20ms));
  destroyed.reset();
  pass(30ms);
  EXPECT_EQ(fired_, 100);
  pass(30ms);
  EXPECT_EQ(fired_, 100);
  pass(40ms);
  EXPECT_EQ(fired_, 110);
  EXPECT_EQ(wheel_.linked(), 0U);
}

TEST_F(TimerWheelTest, DeadlinesInThePastFireAtTheNextTick) {
  Timer timer(wheel_, [this] { ++fired_; });
  timer.arm(clock_.now() - 5s);
  EXPECT_LE(wheel_.until_next(clock_.now(), 10s), TimerWheel::kTick);
  pass(10ms);
  EXPECT_EQ(fired_, 1);
}

TEST_F(TimerWheelTest, DeadlinesBeyondATurnAndPausesLongerThanATurnKeepTheirTime) {
  Timer far(wheel_, [this] { fired_ += 1; });
  Timer near(wheel_, [this] { fired_ += 10; });
  far.arm(in(300s));
  for (int i = 0; i < 299; ++i) pass(1s);
  EXPECT_EQ(fired_, 0);
  pass(1010ms);
  EXPECT_EQ(fired_, 1);
  far.arm(in(500s));
  near.arm(in(3s));
  pass(200s);
  EXPECT_EQ(fired_, 11);
  pass(301s);
  EXPECT_EQ(fired_, 12);
}

TEST_F(TimerWheelTest, AnIdleWheelCatchesUpBeforeItsNextTimer) {
  pass(1000h);
  Timer timer(wheel_, [this] { ++fired_; });
  timer.arm(in(30ms));
  EXPECT_EQ(wheel_.until_next(clock_.now(), 10s), 30ms);
  pass(20ms);
  EXPECT_EQ(fired_, 0);
  pass(10ms);
  EXPECT_EQ(fired_, 1);
}

TEST_F(TimerWheelTest, ATimerArmedOnAWheelThatWasNotAdvancedLatelyIsNotEarlyAndNotLate) {
  clock_.advance(200s);  // no advance in between, as after a long callback
  Timer timer(wheel_, [this] { ++fired_; });
  timer.arm(in(50ms));
  pass(40ms);
  EXPECT_EQ(fired_, 0);
  pass(20ms);
  EXPECT_EQ(fired_, 1);
}

TEST_F(TimerWheelTest, CallbacksMayRearmCancelAndDestroyAnyTimer) {
  std::optional<Timer> self;
  std::optional<Timer> neighbour;
  std::optional<Timer> cancelled;
  std::optional<Timer> periodic;
  int periods = 0;
  // Of the four in one slot the callbacks run in unknown order: each kills what must not run.
  self.emplace(wheel_, [&] {
    ++fired_;
    neighbour.reset();
    cancelled->cancel();
    self.reset();
  });
  neighbour.emplace(wheel_, [&] {
    ++fired_;
    self.reset();
    cancelled->cancel();
    neighbour.reset();
  });
  cancelled.emplace(wheel_, [&] {
    ++fired_;
    self.reset();
    neighbour.reset();
  });
  periodic.emplace(wheel_, [&] {
    if (++periods < 3) periodic->arm(clock_.now() + 20ms);
  });
  for (auto* timer : {&self, &neighbour, &cancelled, &periodic}) (*timer)->arm(in(20ms));
  for (int i = 0; i < 20; ++i) pass(10ms);
  EXPECT_EQ(fired_, 1) << "the first of three ended the other two";
  EXPECT_EQ(periods, 3);
  EXPECT_EQ(wheel_.linked(), 0U);
}

TEST_F(TimerWheelTest, ACallbackThatArmsForNowDoesNotHoldTheWheel) {
  std::optional<Timer> timer;
  timer.emplace(wheel_, [&] {
    ++fired_;
    timer->arm(clock_.now());
  });
  timer->arm(in(10ms));
  pass(10ms);
  EXPECT_EQ(fired_, 1);
  pass(10ms);
  EXPECT_EQ(fired_, 2);
}

TEST_F(TimerWheelTest, SleepReachesTheNextSlotAndIsCapped) {
  EXPECT_EQ(wheel_.until_next(clock_.now(), 7s), 7s);
  Timer timer(wheel_, [this] { ++fired_; });
  timer.arm(in(35ms));
  EXPECT_EQ(wheel_.until_next(clock_.now(), 7s), 40ms);
  EXPECT_EQ(wheel_.until_next(clock_.now(), 15ms), 15ms);
  clock_.advance(100ms);
  EXPECT_EQ(wheel_.until_next(clock_.now(), 7s), 0ms);
}

TEST_F(TimerWheelTest, SleepReachesEveryDistanceAndForgetsTimersThatAreGone) {
  pass(37'770ms);  // so that the distances below cross the end of the wheel
  for (int ticks = 1; ticks <= 999; ticks += 7) {
    Timer timer(wheel_, [this] { ++fired_; });
    timer.arm(in(TimerWheel::kTick * ticks));
    EXPECT_EQ(wheel_.until_next(clock_.now(), 10s), TimerWheel::kTick * ticks);
    Timer nearer(wheel_, [this] { ++fired_; });
    nearer.arm(in(TimerWheel::kTick * ((ticks + 1) / 2)));
    EXPECT_EQ(wheel_.until_next(clock_.now(), 10s), TimerWheel::kTick * ((ticks + 1) / 2));
  }
  EXPECT_EQ(wheel_.until_next(clock_.now(), 10s), 10s);
}

TEST_F(TimerWheelTest, RandomHistoriesFireEachDeadlineInItsTick) {
  std::mt19937 random(5);
  struct Watched {
    std::optional<Timer> timer;
    std::optional<base::TimePoint> due;
  };
  std::vector<Watched> all(200);
  for (Watched& one : all) {
    one.timer.emplace(wheel_, [this, &one] {
      ++fired_;
      ASSERT_TRUE(one.due.has_value());
      EXPECT_GE(clock_.now(), *one.due);
      one.due.reset();
    });
  }
  for (int step = 0; step < 20'000; ++step) {
    Watched& one = all[random() % all.size()];
    if (random() % 4 == 0) {
      one.timer->cancel();
      one.due.reset();
    } else {
      one.due = in(std::chrono::milliseconds(random() % (random() % 8 == 0 ? 100'000 : 500)));
      one.timer->arm(*one.due);
    }
    pass(std::chrono::milliseconds(random() % 1000 == 0 ? 60'000 : random() % 15));
    for (const Watched& other : all) {
      if (other.due) {
        ASSERT_GT(*other.due + TimerWheel::kTick, clock_.now()) << "late";
      }
    }
  }
  EXPECT_GT(fired_, 1000);
}

}  // namespace
}  // namespace weir::loop
