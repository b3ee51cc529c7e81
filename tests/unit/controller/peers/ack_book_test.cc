#include "controller/peers/ack_book.h"

#include <gtest/gtest.h>

namespace weir::peers {
namespace {

using State = status::Programmed::State;
using std::chrono::milliseconds;
using std::chrono::seconds;

const store::ObjectKey kWeb{store::Kind::kIngress, "shop", "web"};

kubernetes::Positions at(const std::string& ingresses) {
  return {{"Ingress", {ingresses, ingresses}}, {"Service", {"7", "7"}}};
}

class AckBookTest : public testing::Test {
 protected:
  // Everything up to this version is acknowledged by this replica's own dataplane.
  void own(const std::string& version) {
    ++mark_;
    book_.translated(mark_, mark_, at(version));
    book_.settle(mark_);
  }
  void pass(base::Duration time) {
    for (; time > base::Duration::zero(); time -= milliseconds(500)) {
      clock_.advance(milliseconds(500));
      book_.tick();
    }
  }
  State state(const std::string& version) const { return book_.programmed(kWeb, version).state; }
  std::string missing(const std::string& version) const {
    return book_.programmed(kWeb, version).missing;
  }

  base::ManualClock clock_;
  AckBook book_{clock_, seconds(30)};
  std::uint64_t mark_ = 1;
};

TEST_F(AckBookTest, AloneItIsTheOwnAckThatCounts) {
  book_.translated(2, 0, at("10"));
  book_.settle(0);
  EXPECT_EQ(state("10"), State::kWaiting);
  EXPECT_EQ(missing("10"), "this replica");
  book_.settle(2);
  EXPECT_EQ(state("10"), State::kYes);
  EXPECT_EQ(state("9"), State::kYes);
  EXPECT_EQ(state("11"), State::kWaiting);
}

TEST_F(AckBookTest, WhatCameAfterATransactionBeganWaitsForTheNextOne) {
  book_.translated(2, 2, at("10"));  // runs
  book_.translated(3, 2, at("20"));
  book_.translated(4, 2, at("30"));
  book_.settle(2);
  EXPECT_EQ(book_.own().at("Ingress"), "10");
  book_.translated(5, 4, at("40"));  // the next one runs since mark 4
  book_.settle(4);
  EXPECT_EQ(book_.own().at("Ingress"), "30");
  book_.settle(5);
  EXPECT_EQ(book_.own().at("Ingress"), "40");
}

TEST_F(AckBookTest, WhatIsAcknowledgedNeverGoesBackInOneSession) {
  book_.translated(2, 2, at("10"));  // runs
  book_.translated(3, 2, at("20"));
  book_.settle(3);  // one answer for both
  EXPECT_EQ(book_.own().at("Ingress"), "20");
  book_.translated(4, 4, at("30"));  // runs
  EXPECT_FALSE(book_.settle(3));
  EXPECT_EQ(book_.own().at("Ingress"), "20");
  book_.settle(4);
  EXPECT_EQ(book_.own().at("Ingress"), "30");
}

TEST_F(AckBookTest, WithoutASessionNothingIsAcknowledgedAndTheNextOneNeedsNoNewObject) {
  own("10");
  book_.settle(0);
  EXPECT_TRUE(book_.own().empty());
  EXPECT_EQ(state("10"), State::kWaiting);
  book_.settle(mark_);
  EXPECT_EQ(state("10"), State::kYes);
}

TEST_F(AckBookTest, EachReadyReplicaIsWaitedForAndNamed) {
  own("10");
  book_.set_peers({{"a", "replica a"}, {"b", "replica b"}});
  EXPECT_EQ(missing("10"), "replica a, replica b");
  EXPECT_TRUE(book_.heard("a", {{"Ingress", "9"}, {"Service", "7"}}));
  EXPECT_TRUE(book_.heard("b", {{"Ingress", "10"}, {"Service", "7"}}));
  EXPECT_FALSE(book_.heard("b", {{"Ingress", "10"}, {"Service", "7"}})) << "nothing new";
  EXPECT_EQ(state("10"), State::kWaiting);
  EXPECT_EQ(missing("10"), "replica a");
  EXPECT_EQ(state("9"), State::kYes);
  book_.heard("a", {{"Ingress", "100"}});  // longer, not smaller
  EXPECT_EQ(state("10"), State::kYes);
}

TEST_F(AckBookTest, AReplicaThatIsNotReadyAnyMoreIsNotWaitedFor) {
  own("10");
  book_.set_peers({{"a", "replica a"}});
  EXPECT_EQ(state("10"), State::kWaiting);
  book_.set_peers({});
  EXPECT_EQ(state("10"), State::kYes);
  // Back, it has to say it again.
  book_.heard("a", {{"Ingress", "10"}});
  book_.set_peers({{"a", "replica a"}});
  EXPECT_EQ(state("10"), State::kWaiting);
}

TEST_F(AckBookTest, AfterThePatienceItIsOverdueAndNewVersionsAreWaitedForAgain) {
  book_.set_peers({{"a", "replica a"}});
  pass(seconds(60));
  own("10");
  pass(seconds(29));
  EXPECT_EQ(state("10"), State::kWaiting);
  pass(seconds(3));
  EXPECT_EQ(state("10"), State::kOverdue);
  EXPECT_EQ(missing("10"), "replica a");
  own("11");
  EXPECT_EQ(state("11"), State::kWaiting);
  EXPECT_EQ(state("10"), State::kOverdue);
  pass(seconds(20));
  book_.set_peers({{"a", "replica a"}, {"b", "replica b"}});
  EXPECT_EQ(state("10"), State::kWaiting) << "b has just come";
  EXPECT_EQ(missing("10"), "replica a, replica b");
}

TEST_F(AckBookTest, TheAgeOfTheOldestMissingAckIsKnown) {
  book_.set_peers({{"a", "replica a"}});
  own("10");
  book_.heard("a", {{"Ingress", "10"}, {"Service", "7"}});
  pass(seconds(5));
  EXPECT_EQ(book_.peers().front().behind, base::Duration::zero());
  own("11");
  pass(seconds(10));
  EXPECT_NEAR(std::chrono::duration<double>(book_.peers().front().behind).count(), 9.5, 1.1);
  EXPECT_FALSE(book_.peers().front().overdue);
  pass(seconds(120));
  EXPECT_NEAR(std::chrono::duration<double>(book_.peers().front().behind).count(), 129.5, 1.1);
  EXPECT_TRUE(book_.peers().front().overdue);
  own("12");
  pass(seconds(4));
  book_.heard("a", {{"Ingress", "11"}, {"Service", "7"}});  // a step on, not all
  pass(seconds(1));
  EXPECT_LT(book_.peers().front().behind, seconds(6));
  book_.heard("a", {{"Ingress", "12"}, {"Service", "7"}});
  pass(seconds(1));
  EXPECT_EQ(book_.peers().front().behind, base::Duration::zero());
}

TEST_F(AckBookTest, AKindThatIsQuietHoldsNobodyBack) {
  // Our list of Services is newer than theirs, and between the two nothing happened.
  book_.translated(2, 2, {{"Ingress", {"10", "10"}}, {"Service", {"900", "7"}}});
  book_.settle(2);
  book_.set_peers({{"a", "replica a"}});
  book_.heard("a", {{"Ingress", "10"}, {"Service", "8"}});
  pass(seconds(2));
  EXPECT_EQ(book_.peers().front().behind, base::Duration::zero());
}

TEST_F(AckBookTest, ANamespaceOfItsOwnIsFoundBeforeTheWholeKind) {
  book_.translated(2, 2, {{"Ingress/shop", {"10", "10"}}, {"Ingress/other", {"99", "99"}}});
  book_.settle(2);
  EXPECT_EQ(state("10"), State::kYes);
  EXPECT_EQ(state("11"), State::kWaiting);
}

TEST_F(AckBookTest, VersionsThatDoNotCompareAreNotWaitedFor) {
  own("10");
  book_.set_peers({{"a", "replica a"}});
  for (const char* version : {"", "0", "012", "x7", "-3", "12e4"}) {
    EXPECT_EQ(state(version), State::kYes) << version;
  }
  AckBook folder(clock_, seconds(30));  // a source without versions
  folder.translated(2, 2, {});
  folder.settle(2);
  EXPECT_EQ(folder.programmed(kWeb, "10").state, State::kYes);
}

TEST_F(AckBookTest, ALostConnectionKeepsWhatWasSaid) {
  own("10");
  book_.set_peers({{"a", "replica a"}});
  book_.heard("a", {{"Ingress", "10"}, {"Service", "7"}});
  book_.lost("a");
  EXPECT_TRUE(book_.peers().front().silent);
  EXPECT_EQ(state("10"), State::kYes);
  EXPECT_EQ(state("11"), State::kWaiting);
}

}  // namespace
}  // namespace weir::peers
