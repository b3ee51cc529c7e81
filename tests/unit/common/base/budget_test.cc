#include "common/base/budget.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace weir::base {
namespace {

TEST(Budget, WorkerPassesItsSumOnInSteps) {
  ProcessBudget process(1'000'000);
  {
    WorkerBudget worker(process);
    worker.charge(WorkerBudget::kStep - 1);
    EXPECT_EQ(process.used(), 0U);
    worker.charge(1);
    EXPECT_EQ(process.used(), 65'536U);
    worker.release(65'535);
    EXPECT_EQ(process.used(), 65'536U);
    worker.release(1);
    EXPECT_EQ(process.used(), 0U);
    worker.charge(500'000);
    EXPECT_EQ(process.percent(), 50U);
    process.set_limit(0);
    EXPECT_EQ(process.percent(), 0U) << "no limit";
  }
  EXPECT_EQ(process.used(), 0U) << "a worker that goes gives back what it passed on";
}

TEST(Budget, ChargeGivesEverythingBackWhenItsOwnerGoes) {
  ProcessBudget process;
  WorkerBudget worker(process);
  {
    Charge one(worker);
    Charge two(worker);
    one.set(100);
    one.add(50);
    two.set(7);
    one.sub(120);
    EXPECT_EQ(one.bytes(), 30U);
    EXPECT_EQ(worker.used(), 37);
    one.set(0);
    EXPECT_EQ(worker.used(), 7);
  }
  EXPECT_EQ(worker.used(), 0);
}

TEST(Budget, ReleasingMoreThanWasChargedIsABrokenInvariant) {
  ProcessBudget process;
  WorkerBudget worker(process);
  Charge charge(worker);
  charge.set(10);
  EXPECT_DEATH(charge.sub(11), "check failed");
}

TEST(Budget, ProcessSumIsRightAfterManyThreads) {
  ProcessBudget process(1 << 30);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&process] {
        WorkerBudget worker(process);
        for (int i = 0; i < 10'000; ++i) {
          worker.charge(10'000);
          worker.release(9'000);
        }
        EXPECT_EQ(worker.used(), 10'000'000);
      });
    }
  }
  EXPECT_EQ(process.used(), 0U);
}

}  // namespace
}  // namespace weir::base
