// The corpus against the codec alone: whole, byte by byte and at every split, with the forwarded
// bytes read again by a strict reader.

#include <gtest/gtest.h>

#include "common/base/text.h"
#include "tests/bytes/corpus.h"
#include "tests/bytes/relay.h"

namespace weir::bytes {
namespace {

constexpr std::size_t kLongBytes = 4'000;  // longer inputs are split at fewer places

void expect_message(const Forwarded& want, const std::string& message) {
  const Reading reading = read_requests(message);
  ASSERT_TRUE(reading.whole && reading.requests.size() == 1) << message;
  const Request& got = *reading.requests[0];
  EXPECT_EQ(got.head.method(), want.method);
  EXPECT_EQ(got.head.target(), want.target);
  if (!want.authority.empty()) {
    EXPECT_EQ(got.head.authority(), want.authority);
  }
  EXPECT_EQ(got.body, want.body);
  for (const auto& [name, value] : want.fields) {
    bool found = false;
    got.head.each([&, field = std::string_view(name)](const codec::FieldView& f) {
      found = found || (base::equals_ignore_case(f.name, field) && f.value == value);
    });
    EXPECT_TRUE(found) << name << ": " << value << " is missing in " << message;
  }
  for (const std::string& name : want.absent) {
    EXPECT_FALSE(got.head.find(name).has_value()) << name << " was forwarded: " << message;
  }
}

void expect_verdict(const Case& c, const Relayed& got) {
  const std::vector<int> refused =
      c.refused == 0 ? std::vector<int>{} : std::vector<int>{c.refused};
  EXPECT_EQ(got.refused, refused);
  if (c.refused != 0) {
    EXPECT_TRUE(got.ended) << "a refusal closes";
  }
  ASSERT_EQ(got.messages.size(), c.forwarded.size());
  for (std::size_t i = 0; i < c.forwarded.size(); ++i)
    expect_message(c.forwarded[i], got.messages[i]);
  EXPECT_EQ(find_second_reading(got), "");
}

class CodecCorpus : public testing::Test {
 protected:
  // The cases of one row of docs/attacks.md, whole and byte by byte.
  void run_row(int row) const {
    int cases = 0;
    for (const Case& c : cases_) {
      if (c.row != row) continue;
      SCOPED_TRACE(c.name);
      std::vector<std::size_t> cuts(c.bytes.size());
      for (std::size_t i = 0; i < cuts.size(); ++i) cuts[i] = i;
      expect_verdict(c, relay_requests(c.bytes, {}));
      expect_verdict(c, relay_requests(c.bytes, cuts));
      ++cases;
    }
    EXPECT_GE(cases, 2);
  }
  void SetUp() override {
    auto loaded = load_corpus();
    ASSERT_TRUE(loaded.ok()) << loaded.error().text;
    for (Case& c : loaded.value()) {
      if (!c.only_process) cases_.push_back(std::move(c));
    }
  }
  std::vector<Case> cases_;
};

TEST_F(CodecCorpus, Row01LengthsThatContradict) { run_row(1); }
TEST_F(CodecCorpus, Row02TransferEncodingInDisguise) { run_row(2); }
TEST_F(CodecCorpus, Row04Chunks) { run_row(4); }
TEST_F(CodecCorpus, Row05LinesNamesAndControlBytes) { run_row(5); }
TEST_F(CodecCorpus, Row06Trailers) { run_row(6); }
TEST_F(CodecCorpus, Row07Expect) { run_row(7); }
TEST_F(CodecCorpus, Row08UpgradeAndConnect) { run_row(8); }
TEST_F(CodecCorpus, Row16Limits) { run_row(16); }
TEST_F(CodecCorpus, Row22Host) { run_row(22); }
TEST_F(CodecCorpus, Row25Connection) { run_row(25); }
TEST_F(CodecCorpus, Row26SpellingsOfNames) { run_row(26); }

TEST_F(CodecCorpus, EveryCaseGetsItsVerdictInOneRead) {
  for (const Case& c : cases_) {
    SCOPED_TRACE(c.name);
    expect_verdict(c, relay_requests(c.bytes, {}));
  }
}

TEST_F(CodecCorpus, EveryCaseGetsTheSameVerdictByteByByte) {
  for (const Case& c : cases_) {
    SCOPED_TRACE(c.name);
    std::vector<std::size_t> cuts(c.bytes.size());
    for (std::size_t i = 0; i < cuts.size(); ++i) cuts[i] = i;
    expect_verdict(c, relay_requests(c.bytes, cuts));
  }
}

TEST_F(CodecCorpus, EveryCaseGetsTheSameVerdictAtEverySplit) {
  for (const Case& c : cases_) {
    SCOPED_TRACE(c.name);
    const std::size_t step = c.bytes.size() > kLongBytes ? c.bytes.size() / 50 : 1;
    for (std::size_t cut = 1; cut < c.bytes.size(); cut += step) {
      const Relayed got = relay_requests(c.bytes, {cut});
      ASSERT_EQ(got.refused.size(), c.refused == 0 ? 0U : 1U) << "split at " << cut;
      if (c.refused != 0) {
        ASSERT_EQ(got.refused[0], c.refused) << "split at " << cut;
      }
      ASSERT_EQ(got.messages.size(), c.forwarded.size()) << "split at " << cut;
      ASSERT_EQ(find_second_reading(got), "") << "split at " << cut;
    }
  }
}

}  // namespace
}  // namespace weir::bytes
