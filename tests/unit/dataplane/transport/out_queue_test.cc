#include "dataplane/transport/out_queue.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace weir::transport {
namespace {

class OutQueueTest : public testing::Test {
 protected:
  std::string content(const OutQueue& queue) {
    std::array<iovec, 64> parts;
    std::string out;
    const std::size_t filled = queue.gather(parts);
    for (std::size_t i = 0; i < filled; ++i) {
      out.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
    }
    return out;
  }

  base::ProcessBudget process_;
  base::WorkerBudget budget_{process_};
  worker::BufferPool pool_{budget_};
};

TEST_F(OutQueueTest, KeepsOrderAndCountsBytesBeyondItsInlinePlace) {
  OutQueue queue;
  EXPECT_TRUE(queue.empty());
  std::string want;
  for (int i = 0; i < 20; ++i) {
    queue.push(pool_.copy(std::to_string(i)));
    want += std::to_string(i);
  }
  queue.push(worker::Slice());
  EXPECT_EQ(queue.bytes(), want.size());
  EXPECT_EQ(content(queue), want);
}

TEST_F(OutQueueTest, ConsumesAcrossSlicesAndStopsInsideOne) {
  OutQueue queue;
  for (const char* part : {"ab", "cd", "ef", "gh"}) queue.push(pool_.copy(part));
  queue.consume(3);
  EXPECT_EQ(content(queue), "defgh");
  EXPECT_EQ(queue.front().bytes(), "d");
  queue.consume(5);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(pool_.chunks_taken(), 0U);
}

TEST_F(OutQueueTest, ManyShortSlicesShareChunksInTheirOrder) {
  OutQueue queue;
  std::string want;
  for (int i = 0; i < 1'000; ++i) {
    const std::string part = std::to_string(i);
    queue.push(pool_.copy(part));
    want += part;
  }
  EXPECT_LE(pool_.chunks_taken(), OutQueue::kInline + want.size() / 400 + 1);
  EXPECT_EQ(content(queue), want);
}

TEST_F(OutQueueTest, AChunkThatOthersReferToIsNotWrittenTo) {
  OutQueue queue;
  const worker::Slice other = pool_.copy("cd");
  for (int i = 0; i < 2; ++i) queue.push(pool_.copy("ab"));
  queue.push(other.part(0, 1));
  queue.push(pool_.copy("x"));
  EXPECT_EQ(other.bytes(), "cd");
  EXPECT_EQ(content(queue), "ababcx");
}

TEST_F(OutQueueTest, GathersNoMoreThanItsCallerHasRoomFor) {
  OutQueue queue;
  for (int i = 0; i < 5; ++i) queue.push(pool_.copy(std::string(2'000, 'x')));
  std::array<iovec, 3> parts;
  EXPECT_EQ(queue.gather(parts), 3U);
}

TEST_F(OutQueueTest, KeepCopiesBorrowedBytesAndLeavesOwnedOnes) {
  std::string scratch = "borrowed-two";
  OutQueue queue;
  queue.push(worker::Slice::borrowed(std::string_view(scratch).substr(0, 8)));
  queue.push(worker::Slice::borrowed(std::string_view(scratch).substr(8)));
  queue.push(pool_.copy("|owned|"));
  queue.push(worker::Slice::borrowed(std::string_view(scratch).substr(0, 3)));
  EXPECT_TRUE(queue.has_borrowed());
  queue.keep(pool_);
  EXPECT_FALSE(queue.has_borrowed());
  EXPECT_EQ(pool_.chunks_taken(),
            2U);  // the two neighbours share one, and the last joins the owned
  scratch.assign(scratch.size(), '!');
  EXPECT_EQ(content(queue), "borrowed-two|owned|bor");
}

TEST_F(OutQueueTest, TakeEmptiesTheQueueAndItCanBeFilledAgain) {
  OutQueue queue;
  for (int i = 0; i < 4; ++i) queue.push(pool_.copy("ab"));
  const OutQueue taken = queue.take();
  EXPECT_EQ(taken.bytes(), 8U);
  EXPECT_EQ(queue.bytes(), 0U);
  queue.push(pool_.copy("z"));
  EXPECT_EQ(content(queue), "z");
  EXPECT_EQ(content(taken), "abababab");
}

TEST_F(OutQueueTest, AnyMixOfPushesAndConsumesGivesTheBytesInOrder) {
  std::mt19937 random(7);
  OutQueue queue;
  std::string model;
  char next = 'a';
  for (int step = 0; step < 4000; ++step) {
    if (random() % 2 == 0 && model.size() < 60) {
      const std::string part(1 + random() % 5, next);
      next = next == 'z' ? 'a' : static_cast<char>(next + 1);
      queue.push(pool_.copy(part));
      model += part;
    } else if (!model.empty()) {
      const std::size_t bytes = 1 + random() % model.size();
      queue.consume(bytes);
      model.erase(0, bytes);
    }
    ASSERT_EQ(queue.bytes(), model.size());
    ASSERT_EQ(content(queue), model);
  }
}

}  // namespace
}  // namespace weir::transport
