#include "controller/ingress/ticket_keys.h"

#include <gtest/gtest.h>

#include <set>

namespace weir::ingress {
namespace {

const std::string kSeed(kSmallestTicketSeed, 's');

TEST(TicketKeys, AreTheSameForAllReplicasWithOneSeed) {
  EXPECT_EQ(derive_ticket_keys(kSeed, 7)->hash, derive_ticket_keys(kSeed, 7)->hash);
  EXPECT_NE(derive_ticket_keys(kSeed, 7)->hash, derive_ticket_keys(kSeed + "s", 7)->hash);
}

TEST(TicketKeys, OpenTicketsOfTheNeighbouringPeriods) {
  const auto keys = derive_ticket_keys(kSeed, 7);
  ASSERT_EQ(keys->blobs.size(), 3u);
  for (const std::string& key : keys->blobs) EXPECT_EQ(key.size(), 80u);
  EXPECT_EQ(keys->blobs[1], derive_ticket_keys(kSeed, 6)->blobs[0]);
  EXPECT_EQ(keys->blobs[2], derive_ticket_keys(kSeed, 8)->blobs[0]);
}

TEST(TicketKeys, NeverRepeatAName) {
  std::set<std::string> names;
  for (std::int64_t period = 0; period < 1'000; ++period) {
    names.insert(derive_ticket_keys(kSeed, period)->blobs[0].substr(0, 16));
  }
  EXPECT_EQ(names.size(), 1'000u);
}

TEST(TicketKeys, PeriodsAreTwelveHours) {
  EXPECT_EQ(ticket_period(43'199), 0);
  EXPECT_EQ(ticket_period(43'200), 1);
}

}  // namespace
}  // namespace weir::ingress
