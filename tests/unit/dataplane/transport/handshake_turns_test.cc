#include "dataplane/transport/handshake_turns.h"

#include <gtest/gtest.h>

#include <vector>

namespace weir::transport {
namespace {

struct Newcomer final : HandshakeTurns::Waiter {
  void on_turn() override { called = true; }
  bool called = false;
};

std::size_t called(const std::vector<Newcomer>& crowd) {
  std::size_t out = 0;
  for (const Newcomer& one : crowd) out += one.called ? 1 : 0;
  return out;
}

TEST(HandshakeTurns, AFewBeginAtOnceAndTheOthersAreCalledInOrderAFewAnIteration) {
  loop::Loop loop;
  HandshakeTurns turns(loop);
  std::vector<Newcomer> crowd(2 * HandshakeTurns::kPerIteration + 3);
  std::size_t begun = 0;
  for (Newcomer& one : crowd) begun += turns.take(one) ? 1 : 0;
  EXPECT_EQ(begun, HandshakeTurns::kPerIteration);

  loop.run_once(base::Duration::zero());
  EXPECT_EQ(called(crowd), HandshakeTurns::kPerIteration);
  EXPECT_TRUE(crowd[HandshakeTurns::kPerIteration].called);
  EXPECT_FALSE(crowd.back().called);
  Newcomer late;
  EXPECT_FALSE(turns.take(late)) << "nobody passes those that wait";

  loop.run_once(base::Duration::zero());
  EXPECT_EQ(called(crowd), HandshakeTurns::kPerIteration + 3);
  EXPECT_TRUE(late.called);
  EXPECT_EQ(turns.waiting(), 0U);
}

TEST(HandshakeTurns, TheLoopDoesNotSleepWhileSomebodyWaits) {
  loop::Loop loop;
  HandshakeTurns turns(loop);
  std::vector<Newcomer> crowd(20 * HandshakeTurns::kPerIteration);
  for (Newcomer& one : crowd) turns.take(one);
  const base::TimePoint start = loop.clock().now();
  for (int i = 0; i < 19; ++i) loop.run_once(std::chrono::seconds(5));
  EXPECT_EQ(turns.waiting(), 0U);
  EXPECT_LT(loop.clock().now() - start, std::chrono::seconds(5));
}

TEST(HandshakeTurns, WhoLeftTheLineIsNotCalled) {
  loop::Loop loop;
  HandshakeTurns turns(loop);
  std::vector<Newcomer> crowd(HandshakeTurns::kPerIteration + 2);
  for (Newcomer& one : crowd) turns.take(one);
  turns.leave(crowd[HandshakeTurns::kPerIteration]);
  loop.run_once(base::Duration::zero());
  EXPECT_FALSE(crowd[HandshakeTurns::kPerIteration].called);
  EXPECT_TRUE(crowd.back().called);
}

}  // namespace
}  // namespace weir::transport
