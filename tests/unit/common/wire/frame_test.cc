#include "common/wire/frame.h"

#include <gtest/gtest.h>

#include <random>

namespace weir::wire {
namespace {

using base::ErrorKind;

Frame sample() {
  return Frame{FrameType::kUpsert,
               R"({"type":"route","name":"t/h/id"})",
               {"body", "", std::string("\0\xff", 2)}};
}

std::string encoded(const Frame& frame) {
  std::string out;
  EXPECT_TRUE(append_frame(frame, out).ok());
  return out;
}

void expect_same(const Frame& got, const Frame& want) {
  EXPECT_EQ(got.type, want.type);
  EXPECT_EQ(got.json, want.json);
  EXPECT_EQ(got.blobs, want.blobs);
}

// The header of a payload with a right CRC, so that what lies behind the checks is reached.
std::string raw_frame(std::uint16_t type, std::uint16_t flags, std::string_view payload) {
  std::string out;
  const auto put = [&out](std::uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
  };
  put(static_cast<std::uint32_t>(payload.size()), 4);
  put(type, 2);
  put(flags, 2);
  put(crc32(payload), 4);
  return out.append(payload);
}

TEST(Crc32, GivesTheCheckValueOfTheStandard) {
  EXPECT_EQ(crc32("123456789"), 0xcbf43926U);
  EXPECT_EQ(crc32(""), 0U);
  EXPECT_EQ(crc32("The quick brown fox jumps over the lazy dog"), 0x414fa339U);
}

TEST(Frame, LayoutIsLittleEndianAsDocumented) {
  const std::string bytes = encoded(Frame{FrameType::kBegin, "{}", {"x"}});
  EXPECT_EQ(bytes.substr(0, 8), std::string("\x0b\0\0\0\x04\0\0\0", 8));
  EXPECT_EQ(bytes.substr(12), std::string("\x02\0\0\0{}\x01\0\0\0x", 11));
}

TEST(Frame, IsReadBackWhenCutAtAnyTwoBytes) {
  const std::string bytes = encoded(sample());
  for (std::size_t first = 0; first <= bytes.size(); ++first) {
    for (std::size_t second = first; second <= bytes.size(); ++second) {
      FrameReader reader;
      const std::string_view view = bytes;
      for (const auto part :
           {view.substr(0, first), view.substr(first, second - first), view.substr(second)}) {
        reader.add(part);
        if (reader.buffered() == bytes.size()) break;
        const auto early = reader.next();
        ASSERT_TRUE(early.ok());
        ASSERT_FALSE(early.value().has_value());
      }
      auto got = reader.next();
      ASSERT_TRUE(got.ok() && got.value().has_value()) << first << " " << second;
      expect_same(*got.value(), sample());
      EXPECT_EQ(reader.buffered(), 0U);
    }
  }
}

TEST(Frame, ByteByByteStreamOfThousandFramesIsReadInOrder) {
  std::string stream;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(
        append_frame(Frame{FrameType::kKeys, std::to_string(i), {std::string(200, 'b')}}, stream)
            .ok());
  }
  FrameReader reader;
  int seen = 0;
  for (const char c : stream) {
    reader.add(std::string_view(&c, 1));
    auto got = reader.next();
    ASSERT_TRUE(got.ok());
    if (!got.value().has_value()) continue;
    EXPECT_EQ(got.value()->json, std::to_string(seen++));
  }
  EXPECT_EQ(seen, 1000);
}

TEST(Frame, EveryBitFlipIsAnErrorAWaitOrAnotherTypeNeverOtherContent) {
  const std::string good = encoded(sample());
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ 1 << bit % 8);
    FrameReader reader;
    reader.add(bad);
    auto got = reader.next();
    if (!got.ok()) {
      EXPECT_EQ(got.error().kind, ErrorKind::kProtocol);
    } else if (got.value().has_value()) {
      EXPECT_TRUE(bit / 8 == 4 || bit / 8 == 5) << bit;  // the type stands outside the CRC
      EXPECT_EQ(got.value()->json, sample().json);
    } else {
      EXPECT_LT(bit / 8, 4U) << bit;  // a longer length waits for more
    }
  }
}

TEST(Frame, HugeLengthIsRefusedFromItsFirstFourBytesWithoutBufferingMore) {
  FrameReader reader;
  reader.add(std::string_view("\xff\xff\xff\x7f", 4));  // 2 GB
  const auto got = reader.next();
  ASSERT_FALSE(got.ok());
  EXPECT_NE(got.error().text.find("2147483647"), std::string::npos);
  reader.add(std::string(1000, 'x'));
  EXPECT_EQ(reader.buffered(), 0U);
  EXPECT_FALSE(reader.next().ok()) << "a lost stream stays lost";
}

TEST(Frame, ReplayedFramesAreGivenTwiceAndAGoodFrameAfterABadOneIsNot) {
  const std::string bytes = encoded(sample());
  FrameReader reader;
  reader.add(bytes + bytes);
  for (int i = 0; i < 2; ++i) {
    auto got = reader.next();
    ASSERT_TRUE(got.ok() && got.value().has_value());
    expect_same(*got.value(), sample());
  }
  std::string bad = bytes;
  bad.back() = static_cast<char>(bad.back() ^ 1);
  reader.add(bad + bytes);
  EXPECT_FALSE(reader.next().ok());
  EXPECT_FALSE(reader.next().ok());
}

TEST(Frame, BrokenPartsAreNamed) {
  struct Case {
    std::string_view name;
    std::string bytes, text;
  };
  using namespace std::string_literals;
  for (const Case& c :
       {Case{"no JSON length", raw_frame(1, 0, ""), "JSON does not fit"},
        Case{"JSON past the end", raw_frame(1, 0, "\x09\0\0\0{}"s), "JSON does not fit"},
        Case{"huge JSON", raw_frame(1, 0, "\xff\xff\xff\xff{}"s), "JSON does not fit"},
        Case{"cut blob length", raw_frame(1, 0, "\x02\0\0\0{}\x01"s), "blob 0 does not fit"},
        Case{"second blob past the end", raw_frame(1, 0, "\x02\0\0\0{}\0\0\0\0\x05\0\0\0abc"s),
             "blob 1 does not fit"},
        Case{"type 0", raw_frame(0, 0, "\x02\0\0\0{}"s), "unknown type 0"},
        Case{"type 11", raw_frame(11, 0, "\x02\0\0\0{}"s), "unknown type 11"},
        Case{"flags", raw_frame(1, 1, "\x02\0\0\0{}"s), "flags"}}) {
    SCOPED_TRACE(c.name);
    FrameReader reader;
    reader.add(c.bytes);
    const auto got = reader.next();
    ASSERT_FALSE(got.ok());
    EXPECT_EQ(got.error().kind, ErrorKind::kProtocol);
    EXPECT_NE(got.error().text.find(c.text), std::string::npos) << got.error().text;
  }
}

TEST(Frame, LargestPayloadPassesAndOneByteMoreLeavesTheOutputAsItWas) {
  Frame frame{FrameType::kUpsert, "{}", {std::string(kMaxPayload - 10, 'k')}};
  FrameReader reader;
  reader.add(encoded(frame));
  auto got = reader.next();
  ASSERT_TRUE(got.ok() && got.value().has_value());
  expect_same(*got.value(), frame);
  frame.blobs[0] += 'k';
  std::string out = "before";
  const auto refused = append_frame(frame, out);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(out, "before");
}

TEST(Frame, RandomBytesNeverGiveAFrame) {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(random() % 64, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    if (bytes.size() > 3) bytes[2] = bytes[3] = 0;
    FrameReader reader;
    reader.add(bytes);
    const auto got = reader.next();
    EXPECT_TRUE(!got.ok() || !got.value().has_value());
  }
}

}  // namespace
}  // namespace weir::wire
