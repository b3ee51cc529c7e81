#include "controller/ingress/ticket_keys.h"

#include <gtest/gtest.h>

#include <set>

namespace weir::ingress {
namespace {

using std::chrono::seconds;

TEST(TicketKeys, EachKeyHasEightyBytesOfItsOwn) {
  const TicketRing ring = make_ticket_ring(1'000);
  EXPECT_EQ(ring.rotated, 1'000);
  std::set<std::string> all{ring.previous, ring.current, ring.next};
  EXPECT_EQ(all.size(), 3u);
  for (const std::string& key : all) EXPECT_EQ(key.size(), 80u);
  EXPECT_NE(make_ticket_ring(1'000), ring);
}

TEST(TicketKeys, AKeyIsKnownForAPeriodBeforeItMakesTicketsAndForOneAfter) {
  const TicketRing first = make_ticket_ring(1'000);
  const TicketRing second = rotated(first, 4'600);
  EXPECT_EQ(second.rotated, 4'600);
  EXPECT_EQ(second.previous, first.current);
  EXPECT_EQ(second.current, first.next);
  EXPECT_NE(second.next, first.next);
  const TicketRing third = rotated(second, 8'200);
  EXPECT_EQ(third.previous, first.next);
  std::set<std::string> known{third.previous, third.current, third.next};
  EXPECT_FALSE(known.contains(first.current)) << "two periods after it is gone";
}

TEST(TicketKeys, AStepIsDueAfterThePeriodAndWhenTheRingIsFromTheFuture) {
  TicketRing ring;
  ring.rotated = 100'000;
  const struct {
    std::int64_t now;
    bool due;
  } rows[] = {{100'000, false}, {103'599, false}, {103'600, true},
              {200'000, true},  {96'401, false},  {96'399, true}};
  for (const auto& row : rows) {
    EXPECT_EQ(rotation_due(ring, row.now, seconds(3'600)), row.due) << row.now;
  }
}

TEST(TicketKeys, TheTextOfARingGivesTheRing) {
  const TicketRing ring = make_ticket_ring(1'800'000'000);
  const auto read = parse_ticket_ring(to_text(ring));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read.value(), ring);
}

TEST(TicketKeys, OtherTextIsRefusedWithoutAWordOfIt) {
  const TicketRing ring = make_ticket_ring(1);
  TicketRing short_key = ring;
  short_key.next.pop_back();
  std::string no_base64 = to_text(ring);
  no_base64[no_base64.find("current") + 12] = '!';
  for (const std::string& text : {std::string(), std::string("{}"), std::string("seed"),
                                  to_text(short_key), no_base64, to_text(ring) + "x"}) {
    const auto read = parse_ticket_ring(text);
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_EQ(read.error().text.find("seed"), std::string::npos);
    EXPECT_LT(read.error().text.size(), 200u) << read.error().text;
  }
}

TEST(TicketKeys, TheCurrentKeyComesFirstForTheDataplane) {
  const TicketRing ring = make_ticket_ring(1);
  const auto resource = ticket_resource(ring);
  ASSERT_EQ(resource->blobs.size(), 3u);
  EXPECT_EQ(resource->blobs[0], ring.current);
  EXPECT_EQ(resource->blobs[1], ring.previous);
  EXPECT_EQ(resource->blobs[2], ring.next);
}

}  // namespace
}  // namespace weir::ingress
