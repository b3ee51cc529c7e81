#include "dataplane/codec/h1_chunked.h"

#include <gtest/gtest.h>

#include <string>

#include "dataplane/codec/h1_inbox.h"
#include "tests/unit/dataplane/codec/scripted.h"

namespace weir::codec {
namespace {

TEST(ChunkedDecoder, SaysWhereFramingEndsAndDataBegins) {
  ChunkedDecoder decoder;
  ChunkedDecoder::Result r = decoder.next("5;x\r\nabcde\r\n0\r\n\r\n");
  EXPECT_EQ(r.step, ChunkedDecoder::Step::kData);
  EXPECT_EQ(r.skip, 5U);
  EXPECT_EQ(r.data, 5U);
  r = decoder.next("\r\n0\r\n\r\n");
  EXPECT_EQ(r.step, ChunkedDecoder::Step::kLast);
  EXPECT_EQ(r.skip, 5U) << "the trailer section is not the decoder's";
}

TEST(ChunkedDecoder, ADataBlockMayComeInParts) {
  ChunkedDecoder decoder;
  EXPECT_EQ(decoder.next("4\r\nab").data, 2U);
  EXPECT_EQ(decoder.next("").step, ChunkedDecoder::Step::kNeedMore);
  EXPECT_EQ(decoder.next("cdX").data, 2U);
  EXPECT_EQ(decoder.next("X").step, ChunkedDecoder::Step::kBad);
  EXPECT_EQ(decoder.refusal().status, 400);
}

TEST(WriteChunkSize, WritesLowerCaseHexWithoutZerosInFront) {
  struct Case {
    std::uint64_t size;
    std::string_view want;
  };
  for (const Case& c : {Case{0, "0\r\n"}, Case{1, "1\r\n"}, Case{255, "ff\r\n"},
                        Case{0x1000, "1000\r\n"}, Case{~0ULL, "ffffffffffffffff\r\n"}}) {
    char out[kSizeLine];
    EXPECT_EQ(std::string(out, write_chunk_size(c.size, out)), c.want);
  }
}

TEST(Inbox, OwnsNothingUntilSomethingIsLeftOver) {
  Memory memory;
  Inbox inbox(memory.buffers);
  const std::string first = "abcdef";
  inbox.receive(first);
  EXPECT_TRUE(inbox.take(2).is_borrowed());
  inbox.settle();
  EXPECT_EQ(memory.buffers.chunks_taken(), 1U);
  inbox.receive("ghi");
  EXPECT_EQ(inbox.view(), "cdefghi");
  {
    const worker::Slice owned = inbox.take(7);
    EXPECT_FALSE(owned.is_borrowed());
    EXPECT_EQ(owned.bytes(), "cdefghi");
    EXPECT_TRUE(inbox.empty());
    EXPECT_EQ(memory.buffers.chunks_taken(), 1U) << "the slice keeps it";
  }
  EXPECT_EQ(memory.buffers.chunks_taken(), 0U);
}

TEST(Inbox, GrowsAndKeepsSlicesThatWereHandedOut) {
  Memory memory;
  Inbox inbox(memory.buffers);
  std::string want;
  inbox.receive("0123");
  inbox.settle();
  const worker::Slice early = inbox.take(2);
  want = "23";
  for (int i = 0; i < 3'000; ++i) {
    const std::string part = std::to_string(i);
    inbox.receive(part);
    want += part;
  }
  EXPECT_EQ(inbox.view(), want);
  EXPECT_EQ(early.bytes(), "01");
}

}  // namespace
}  // namespace weir::codec
