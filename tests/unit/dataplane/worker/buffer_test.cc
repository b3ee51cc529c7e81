#include "dataplane/worker/buffer.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::worker {
namespace {

struct Pool {
  base::ProcessBudget process;
  base::WorkerBudget budget{process};
  BufferPool buffers{budget};
};

TEST(BufferPool, ChargesWhatIsTakenAndGivesItBack) {
  Pool pool;
  struct Case {
    std::size_t size, charged;
  };
  for (const Case& c : {Case{1, 512 - sizeof(Chunk)}, Case{512, 4096}, Case{4096, 4096},
                        Case{4097, 16384}, Case{16384, 16384}, Case{20'000, 20'000}}) {
    Chunk* chunk = pool.buffers.take(c.size);
    EXPECT_GE(chunk->capacity, c.size);
    EXPECT_EQ(pool.budget.used(), static_cast<std::int64_t>(c.charged));
    pool.buffers.release(chunk);
    EXPECT_EQ(pool.budget.used(), 0);
  }
}

TEST(BufferPool, GivesTheSameChunkAgain) {
  Pool pool;
  Chunk* first = pool.buffers.take(100);
  pool.buffers.release(first);
  Chunk* second = pool.buffers.take(200);
  EXPECT_EQ(first, second);
  EXPECT_EQ(second->refs, 1U);
  pool.buffers.release(second);
}

TEST(BufferPool, KeepsSomeChunksForTheNextAndFreesThemWhenTrimmed) {
  Pool pool;
  std::vector<Slice> slices;
  for (int i = 0; i < 200; ++i) slices.push_back(pool.buffers.copy(std::string(10'000, 'x')));
  slices.resize(1);
  EXPECT_EQ(pool.buffers.chunks_free(), 64U);
  pool.buffers.trim();
  EXPECT_EQ(pool.buffers.chunks_free(), 0U);
  EXPECT_EQ(slices[0].size(), 10'000U) << "what is taken stays";
  slices.clear();
  EXPECT_EQ(pool.buffers.chunks_free(), 1U);
  pool.buffers.release(pool.buffers.take(10'000));
  EXPECT_EQ(pool.buffers.chunks_taken(), 0U);
}

TEST(BufferPool, ManyChunksMayBeAliveAndAreAllReleased) {
  Pool pool;
  std::vector<Slice> slices;
  for (int i = 0; i < 200; ++i) slices.push_back(pool.buffers.copy(std::to_string(i)));
  EXPECT_EQ(pool.buffers.chunks_taken(), 200U);
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(slices[static_cast<std::size_t>(i)].bytes(), std::to_string(i));
  }
  slices.clear();
  EXPECT_EQ(pool.buffers.chunks_taken(), 0U);
}

TEST(Slice, SharesItsChunkByCopyPartAndMove) {
  Pool pool;
  Slice part;
  {
    Slice whole = pool.buffers.copy("hello world");
    Slice copy(whole);
    part = whole.part(6, 5);
    copy.remove_prefix(6);
    EXPECT_EQ(copy.bytes(), "world");
    EXPECT_EQ(whole.bytes(), "hello world");
    const Slice moved(std::move(whole));
    EXPECT_EQ(moved.bytes(), "hello world");
  }
  EXPECT_EQ(part.bytes(), "world");
  EXPECT_EQ(pool.buffers.chunks_taken(), 1U);
  part = Slice();
  EXPECT_EQ(pool.buffers.chunks_taken(), 0U);
}

TEST(Slice, BorrowedBytesAreCopiedWhenKept) {
  Pool pool;
  std::string scratch = "abc";
  const Slice borrowed = Slice::borrowed(scratch);
  EXPECT_TRUE(borrowed.is_borrowed());
  const Slice kept = pool.buffers.keep(borrowed);
  EXPECT_FALSE(kept.is_borrowed());
  scratch = "xyz";
  EXPECT_EQ(kept.bytes(), "abc");
  EXPECT_EQ(pool.buffers.keep(kept).bytes().data(), kept.bytes().data());
  EXPECT_TRUE(pool.buffers.copy("").empty());
  EXPECT_FALSE(Slice().is_borrowed());
}

}  // namespace
}  // namespace weir::worker
