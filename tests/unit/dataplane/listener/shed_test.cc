#include "dataplane/listener/shed.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace weir::listener {
namespace {

using std::chrono::milliseconds;
using Tier = Waiter::Tier;

const base::TimePoint kNow{std::chrono::hours(1)};

struct Facts {
  std::string name;
  Tier tier = Tier::kSilent;
  milliseconds waited{5'000};
  std::string address = "192.0.2.1";
  bool busy = false;
  bool unread = false;
};

class Scripted final : public Waiter {
 public:
  Scripted(Facts facts, std::string& closed)
      : facts_(std::move(facts)),
        closed_(closed),
        client_(base::SocketAddress::parse(facts_.address, 1'000).value()) {}
  std::optional<Wait> wait() const override {
    if (facts_.busy) return std::nullopt;
    return Wait{facts_.tier, kNow - facts_.waited, &client_};
  }
  bool has_unread() const override { return facts_.unread; }
  void shed(const char*) override { closed_ += facts_.name + " "; }

 private:
  const Facts facts_;
  std::string& closed_;
  const base::SocketAddress client_;
};

struct Seen {
  Shed shed;
  std::string closed;  // names in the order in which they went
};

Seen shed_of(const std::vector<Facts>& all, std::size_t most) {
  Seen out;
  std::vector<std::unique_ptr<Scripted>> owned;
  std::vector<Waiter*> waiters;
  for (const Facts& facts : all) {
    owned.push_back(std::make_unique<Scripted>(facts, out.closed));
    waiters.push_back(owned.back().get());
  }
  out.shed = shed_waiting(waiters, most, kNow, "a test");
  return out;
}

TEST(Shed, TheSilentGoBeforeThoseWhoBeganAndThoseBeforeTheServed) {
  const std::vector<Facts> all{{.name = "served", .tier = Tier::kServed},
                               {.name = "served", .tier = Tier::kServed},
                               {.name = "served", .tier = Tier::kServed},
                               {.name = "began", .tier = Tier::kBegan},
                               {.name = "silent"}};
  EXPECT_EQ(shed_of(all, 1).closed, "silent ");
  EXPECT_EQ(shed_of(all, 3).closed, "silent began served ");
}

TEST(Shed, ACrowdThatIsAlwaysNewTakesNoMoreThanHalfFromTheServed) {
  std::vector<Facts> all{{.name = "served", .tier = Tier::kServed},
                         {.name = "served", .tier = Tier::kServed},
                         {.name = "new", .waited = milliseconds(5)}};
  EXPECT_EQ(shed_of(all, 1).closed, "served ");
  all.push_back({.name = "new", .tier = Tier::kBegan, .waited = milliseconds(500)});
  const Seen seen = shed_of(all, 1);
  EXPECT_EQ(seen.closed, "");
  EXPECT_TRUE(seen.shed.soon) << "of the new ones";
}

TEST(Shed, OfOneKindTheOldestGoFirst) {
  const Seen seen = shed_of({{.name = "b", .waited = milliseconds(300)},
                             {.name = "c", .waited = milliseconds(200)},
                             {.name = "a", .waited = milliseconds(400)}},
                            2);
  EXPECT_EQ(seen.closed, "a b ");
  EXPECT_EQ(seen.shed.closed, 2U);
}

TEST(Shed, AnAddressWithManyGoesBeforeOneThatHasWaitedLonger) {
  std::vector<Facts> all{{.name = "old", .waited = milliseconds(9'000)}};
  for (int i = 0; i < 8; ++i) {
    all.push_back({.name = "crowd", .waited = milliseconds(100), .address = "192.0.2.9"});
  }
  EXPECT_EQ(shed_of(all, 2).closed, "crowd crowd ");
  all.resize(2);
  EXPECT_EQ(shed_of(all, 1).closed, "old ") << "one each: then age counts";
}

TEST(Shed, NobodyGoesForAnAddressThatHasMoreAndOnlyNewOnes) {
  std::vector<Facts> all{{.name = "old", .waited = milliseconds(9'000)}};
  for (int i = 0; i < 8; ++i) {
    all.push_back({.name = "new", .waited = milliseconds(5), .address = "192.0.2.9"});
  }
  const Seen seen = shed_of(all, 8);
  EXPECT_EQ(seen.closed, "");
  EXPECT_TRUE(seen.shed.soon) << "of the crowd";
  all.push_back({.name = "crowd", .waited = milliseconds(25), .address = "192.0.2.9"});
  EXPECT_EQ(shed_of(all, 8).closed, "crowd ") << "and the old one is not taken to fill the batch";
}

TEST(Shed, ANetworkOfIpv6CountsAsOneAddress) {
  std::vector<Facts> all{{.name = "old", .waited = milliseconds(9'000), .address = "2001:db8::1"}};
  for (int i = 0; i < 8; ++i) {
    all.push_back({.name = "crowd",
                   .waited = milliseconds(100),
                   .address = "2001:db8:1:2::" + std::to_string(i + 1)});
  }
  EXPECT_EQ(shed_of(all, 1).closed, "crowd ");
}

TEST(Shed, AddressesOfTheServedDoNotCountAgainstThem) {
  std::vector<Facts> all{{.name = "old", .tier = Tier::kServed, .waited = milliseconds(9'000)}};
  for (int i = 0; i < 8; ++i) {
    all.push_back({.name = "office", .tier = Tier::kServed, .address = "192.0.2.9"});
  }
  EXPECT_EQ(shed_of(all, 1).closed, "old ");
}

TEST(Shed, NobodyGoesWhoIsNewBusyJustAnsweredOrHasSpoken) {
  const Seen seen =
      shed_of({{.name = "new", .waited = milliseconds(19)},
               {.name = "half", .tier = Tier::kBegan, .waited = milliseconds(999)},
               {.name = "answered", .tier = Tier::kServed, .waited = milliseconds(99)},
               {.name = "busy", .busy = true},
               {.name = "spoke", .unread = true}},
              8);
  EXPECT_EQ(seen.closed, "");
  EXPECT_TRUE(seen.shed.soon) << "some will have waited long enough in a moment";
}

TEST(Shed, WhereAllAreServedNobodyWillGoSoon) {
  EXPECT_FALSE(shed_of({{.name = "a", .busy = true}, {.name = "b", .busy = true}}, 8).shed.soon);
  EXPECT_FALSE(shed_of({}, 8).shed.soon);
}

TEST(Shed, WhoHasSpokenIsPassedOverForTheNext) {
  const Seen seen = shed_of({{.name = "spoke", .unread = true}, {.name = "other"}}, 1);
  EXPECT_EQ(seen.closed, "other ");
}

}  // namespace
}  // namespace weir::listener
