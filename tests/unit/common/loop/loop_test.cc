#include "common/loop/loop.h"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <functional>
#include <string>
#include <thread>

namespace weir::loop {
namespace {

using namespace std::chrono_literals;

struct Pair {
  Pair() {
    int fds[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    ours = base::UniqueFd(fds[0]);
    theirs = base::UniqueFd(fds[1]);
  }
  void poke() const { EXPECT_EQ(::write(theirs.get(), "x", 1), 1); }
  base::UniqueFd ours;
  base::UniqueFd theirs;
};

class Handler final : public IoHandler {
 public:
  explicit Handler(std::function<void(std::uint32_t)> act) : act_(std::move(act)) {}
  void on_io(std::uint32_t events) override {
    ++calls;
    act_(events);
  }
  int calls = 0;

 private:
  std::function<void(std::uint32_t)> act_;
};

class Output final : public Flushable {
 public:
  explicit Output(std::function<void()> act) : act_(std::move(act)) {}
  void flush() override { act_(); }

 private:
  std::function<void()> act_;
};

TEST(Loop, ReadinessIsLevelTriggeredUntilReadOrModified) {
  Loop loop;
  const Pair pair;
  Handler handler([](std::uint32_t events) { EXPECT_TRUE(events & EPOLLIN); });
  const IoToken token = loop.add(pair.ours.get(), handler, EPOLLIN);
  loop.run_once(0ms);
  EXPECT_EQ(handler.calls, 0);
  pair.poke();
  loop.run_once(0ms);
  loop.run_once(0ms);
  EXPECT_EQ(handler.calls, 2);
  loop.modify(token, 0);
  loop.run_once(0ms);
  EXPECT_EQ(handler.calls, 2);
  loop.modify(token, EPOLLIN);
  loop.run_once(0ms);
  EXPECT_EQ(handler.calls, 3);
  loop.remove(token);
  loop.run_once(0ms);
  EXPECT_EQ(handler.calls, 3);
}

TEST(Loop, ARemovedHandlerIsNotCalledForEventsOfTheSamePoll) {
  Loop loop;
  const Pair one;
  const Pair two;
  IoToken first;
  IoToken second;
  int calls = 0;
  Handler a([&](std::uint32_t) {
    ++calls;
    loop.remove(second);
    loop.remove(first);
  });
  Handler b([&](std::uint32_t) {
    ++calls;
    loop.remove(first);
    loop.remove(second);
  });
  first = loop.add(one.ours.get(), a, EPOLLIN);
  second = loop.add(two.ours.get(), b, EPOLLIN);
  one.poke();
  two.poke();
  loop.run_once(0ms);
  loop.run_once(0ms);
  EXPECT_EQ(calls, 1);
}

TEST(Loop, AStaleTokenDoesNotTouchTheSuccessorInItsSlot) {
  Loop loop;
  const Pair old_pair;
  const Pair new_pair;
  Handler old_handler([](std::uint32_t) {});
  Handler new_handler([](std::uint32_t) {});
  const IoToken stale = loop.add(old_pair.ours.get(), old_handler, EPOLLIN);
  loop.remove(stale);
  const IoToken fresh = loop.add(new_pair.ours.get(), new_handler, EPOLLIN);
  ASSERT_EQ(stale.slot, fresh.slot);
  EXPECT_NE(stale.generation, fresh.generation);
  loop.remove(stale);
  loop.modify(stale, 0);
  loop.remove(IoToken{});
  loop.remove(IoToken{99, 1});
  new_pair.poke();
  old_pair.poke();
  loop.run_once(0ms);
  EXPECT_EQ(new_handler.calls, 1);
  EXPECT_EQ(old_handler.calls, 0);
}

TEST(Loop, AnEventForAReplacedFdOfTheSamePollDoesNotReachTheNewHandler) {
  Loop loop;
  Pair one;
  const Pair two;
  const Pair fresh;
  IoToken tokens[2];
  Handler late([](std::uint32_t) { ADD_FAILURE() << "nothing to read on the new fd"; });
  const auto replace_other = [&](int other) {
    loop.remove(tokens[other]);
    loop.add(fresh.ours.get(), late, EPOLLIN);  // takes the freed slot
  };
  int calls = 0;
  Handler a([&](std::uint32_t) {
    if (calls++ == 0) replace_other(1);
  });
  Handler b([&](std::uint32_t) {
    if (calls++ == 0) replace_other(0);
  });
  tokens[0] = loop.add(one.ours.get(), a, EPOLLIN);
  tokens[1] = loop.add(two.ours.get(), b, EPOLLIN);
  one.poke();
  two.poke();
  loop.run_once(0ms);
  EXPECT_EQ(calls, 1);
}

TEST(Loop, AHandlerMayDestroyItselfAndAddOthers) {
  Loop loop;
  const Pair pair;
  const Pair other;
  Handler second([](std::uint32_t) {});
  std::unique_ptr<Handler> self;
  IoToken token;
  int calls = 0;
  self = std::make_unique<Handler>([&](std::uint32_t) {
    ++calls;
    for (int i = 0; i < 100; ++i) loop.remove(loop.add(other.ours.get(), second, EPOLLIN));
    loop.add(other.ours.get(), second, EPOLLIN);
    loop.remove(token);
    loop.post([&self] { self.reset(); });
  });
  token = loop.add(pair.ours.get(), *self, EPOLLIN);
  pair.poke();
  other.poke();
  loop.run_once(0ms);
  loop.run_once(0ms);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(self, nullptr);
  EXPECT_GE(second.calls, 1);
}

TEST(Loop, TasksOfEachPosterKeepTheirOrderAndAllAreRun) {
  Loop loop;
  constexpr int kThreads = 4;
  constexpr int kTasks = 5000;
  std::vector<int> next(kThreads, 0);
  int done = 0;
  std::vector<std::jthread> posters;
  for (std::size_t t = 0; t < kThreads; ++t) {
    posters.emplace_back([&, t] {
      for (int i = 0; i < kTasks; ++i) {
        loop.post([&, t, i] {
          EXPECT_EQ(next[t]++, i);
          if (++done == kThreads * kTasks) loop.stop();
        });
      }
    });
  }
  loop.run();
  EXPECT_EQ(done, kThreads * kTasks);
}

TEST(Loop, APostWakesASleepingLoopAndAPostedTaskMayPost) {
  Loop loop;
  int steps = 0;
  std::jthread other([&] {
    std::this_thread::sleep_for(20ms);
    loop.post([&] {
      ++steps;
      loop.post([&] {
        ++steps;
        loop.stop();
      });
    });
  });
  const auto start = std::chrono::steady_clock::now();
  loop.run();
  EXPECT_EQ(steps, 2);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
}

TEST(Loop, StopBeforeRunIsNotLost) {
  Loop loop;
  loop.stop();
  const auto start = std::chrono::steady_clock::now();
  loop.run();
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
}

TEST(Loop, FlushSoonComesAfterTheHandlerFlushLaterAtTheEndAndEachOnce) {
  Loop loop;
  const Pair one;
  const Pair two;
  std::string order;
  Output soon([&] { order += 's'; });
  Output later([&] { order += 'l'; });
  const auto act = [&](std::uint32_t) {
    order += 'h';
    loop.flush_later(later);
    loop.flush_soon(soon);
    loop.flush_soon(soon);
    loop.flush_later(soon);
    loop.flush_later(later);
  };
  Handler a(act);
  Handler b(act);
  loop.add(one.ours.get(), a, EPOLLIN);
  loop.add(two.ours.get(), b, EPOLLIN);
  one.poke();
  two.poke();
  loop.post([&] { order += 'p'; });
  loop.run_once(0ms);
  EXPECT_EQ(order, "hshspl");
}

TEST(Loop, AQueuedFlushMayBeMovedForwardCancelledAndQueuedAgain) {
  Loop loop;
  std::string order;
  Output moved([&] { order += 'm'; });
  auto gone = std::make_unique<Output>([&] { order += '!'; });
  Output again([&] { order += 'a'; });
  Output killer([&] {
    order += 'k';
    loop.flush_cancel(*gone);
    gone.reset();
    if (order.size() < 4) loop.flush_later(again);
  });
  loop.flush_later(killer);
  loop.flush_later(*gone);
  loop.flush_later(moved);
  loop.flush_soon(moved);
  loop.flush_cancel(again);
  loop.run_once(0ms);
  EXPECT_EQ(order, "mka");
}

TEST(Loop, TwoOutputsThatFeedEachOtherDoNotHoldTheLoop) {
  Loop loop;
  int rounds = 0;
  std::unique_ptr<Output> a;
  std::unique_ptr<Output> b;
  a = std::make_unique<Output>([&] {
    ++rounds;
    loop.flush_later(*b);
  });
  b = std::make_unique<Output>([&] {
    ++rounds;
    loop.flush_later(*a);
  });
  loop.flush_later(*a);
  loop.run_once(10s);
  EXPECT_EQ(rounds, 16);
  loop.run_once(10s);
  EXPECT_EQ(rounds, 32) << "the rest goes on without sleeping";
  loop.flush_cancel(*a);
  loop.flush_cancel(*b);
}

TEST(Loop, TimersFollowTheClockAndFlushesOfTimersAreRunInTheSameIteration) {
  base::ManualClock clock;
  Loop loop(clock);
  std::string order;
  Output output([&] { order += 'f'; });
  Timer timer(loop.timers(), [&] {
    order += 't';
    loop.flush_soon(output);
  });
  timer.arm(loop.now() + 20ms);
  loop.run_once(0ms);
  EXPECT_EQ(order, "");
  clock.advance(20ms);
  loop.run_once(1s);
  EXPECT_EQ(order, "tf");
  EXPECT_EQ(loop.now(), clock.now());
}

TEST(Loop, SleepsUntilTheNextTimerAndCountsItsWork) {
  Loop loop;
  bool fired = false;
  Timer timer(loop.timers(), [&fired] { fired = true; });
  const auto start = std::chrono::steady_clock::now();
  timer.arm(start + 30ms);
  for (int i = 0; i < 100 && !fired; ++i) loop.run_once(10s);
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT_TRUE(fired);
  EXPECT_GE(took, 30ms);
  EXPECT_LT(took, 5s);
  EXPECT_GE(loop.figures().iterations.load(), 1U);
  EXPECT_LE(loop.figures().iterations.load(), 20U) << "no busy waiting";
}

}  // namespace
}  // namespace weir::loop
