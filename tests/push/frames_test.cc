// Row 13 of the fault matrix: what arrives on the control socket is cut at every byte, has any bit
// flipped, claims 2 GB or comes twice. Whole updates or nothing, and the dataplane serves on.

#include <gtest/gtest.h>

#include "tests/push/stage.h"

namespace weir::push {
namespace {

using model::make_resource;

// Transaction `version`: moves the route "probe" to a backend and adds a second route. Applied in
// part, the two would disagree.
std::string transaction(std::uint64_t version, const std::string& to) {
  std::string out;
  const auto append = [&out](const wire::Frame& frame) {
    ASSERT_TRUE(wire::append_frame(frame, out).ok());
  };
  wire::Begin begin;
  begin.version = version;
  append(wire::to_frame(wire::FrameType::kBegin, begin));
  append(wire::upsert_frame(*make_resource(make_route("probe", "/probe", to))));
  append(wire::upsert_frame(*make_resource(make_route("second", "/second", to))));
  wire::Commit commit;
  commit.version = version;
  commit.upserts = 2;
  append(wire::to_frame(wire::FrameType::kCommit, commit));
  return out;
}

class Row13Frames : public testing::Test {
 protected:
  Row13Frames() {
    stage_.must_push({make_resource(make_route("probe", "/probe", "aa")),
                      make_resource(make_route("second", "/second", "aa"))});
  }
  // A new session that says `bytes` and ends; true when it said hello.
  bool say(std::string_view bytes) {
    Controller one(stage_.dataplane.control_socket());
    if (!one.connected()) return false;
    applied_ = one.hello().applied;
    one.send_bytes(bytes);
    return true;
  }
  std::uint64_t next_version() {
    Controller one(stage_.dataplane.control_socket());
    return one.hello().applied + 1;
  }
  std::string both() {
    const std::string probe = stage_.get("/probe").server();
    return probe == stage_.get("/second").server() ? probe : "differ";
  }

  Stage stage_;
  std::uint64_t applied_ = 0;
};

TEST_F(Row13Frames, CutAtEveryByteNothingOfItIsApplied) {
  const std::string whole = transaction(next_version(), "bb");
  const pid_t worker = stage_.dataplane.worker();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ASSERT_TRUE(say(std::string_view(whole).substr(0, size))) << "after " << size << " bytes";
    if (size % 64 == 0) {
      ASSERT_EQ(both(), "aa") << "after " << size << " bytes";
    }
  }
  EXPECT_EQ(both(), "aa");
  EXPECT_EQ(stage_.dataplane.worker(), worker) << "it died";
  std::printf("[ row 13 ] cut at %zu offsets, 0 applied\n", whole.size());
}

TEST_F(Row13Frames, WithABitFlippedAnywhereItIsAppliedWholeOrNotAtAll) {
  const pid_t worker = stage_.dataplane.worker();
  const std::size_t size = transaction(1'000, "bb").size();
  int applied = 0;
  for (std::size_t at = 0; at < size; ++at) {
    const std::uint64_t version = next_version();
    std::string bad = transaction(version, at % 2 == 0 ? "bb" : "aa");
    ASSERT_EQ(bad.size(), transaction(version, "bb").size());
    if (at >= bad.size()) break;
    bad[at] = static_cast<char>(bad[at] ^ (1 << (at % 8)));
    Controller one(stage_.dataplane.control_socket());
    ASSERT_TRUE(one.connected()) << "byte " << at;
    one.send_bytes(bad);
    // Refused: the session ends. A flip that goes unnoticed would be an ack.
    const auto answer = one.read(Millis(at % 16 == 0 ? 200 : 20));
    applied += answer.has_value() && answer->type == wire::FrameType::kAck ? 1 : 0;
    if (at % 64 == 0) {
      ASSERT_EQ(both(), "aa") << "byte " << at;
    }
  }
  EXPECT_EQ(applied, 0);
  EXPECT_EQ(both(), "aa");
  EXPECT_EQ(stage_.dataplane.worker(), worker) << "it died";
  std::printf("[ row 13 ] a bit flipped in each of %zu bytes, %d applied\n", size, applied);
}

TEST_F(Row13Frames, ALengthOfTwoGigabytesEndsTheSessionBeforeAByteOfIt) {
  for (const std::uint32_t length : {0x7fff'ffffU, 0x8000'0000U, 0xffff'ffffU, 0x0010'0001U}) {
    std::string header(wire::kFrameHeader, '\0');
    for (std::size_t i = 0; i < 4; ++i) header[i] = static_cast<char>(length >> (8 * i));
    header[4] = static_cast<char>(wire::FrameType::kUpsert);
    Controller one(stage_.dataplane.control_socket());
    ASSERT_TRUE(one.connected());
    one.send_bytes(header);
    EXPECT_TRUE(one.ends()) << length;
  }
  EXPECT_EQ(both(), "aa");
}

TEST_F(Row13Frames, AReplayedTransactionIsRefusedAndChangesNothing) {
  const std::uint64_t version = next_version();
  const std::string first = transaction(version, "bb");
  const std::string second = transaction(version + 1, "aa");
  Controller one(stage_.dataplane.control_socket());
  one.send_bytes(first);
  const auto ack = one.read();
  ASSERT_TRUE(ack.has_value() && ack->type == wire::FrameType::kAck);
  EXPECT_EQ(both(), "bb");
  one.send_bytes(second);
  ASSERT_TRUE(one.read().has_value());
  EXPECT_EQ(both(), "aa");
  one.send_bytes(first);
  EXPECT_TRUE(one.ends()) << "an old version again";
  EXPECT_EQ(both(), "aa");
}

}  // namespace
}  // namespace weir::push
