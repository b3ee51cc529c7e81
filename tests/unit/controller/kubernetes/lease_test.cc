#include "controller/kubernetes/lease.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_api_server.h"
#include "tests/unit/controller/kubernetes/recording_target.h"

namespace weir::kubernetes {
namespace {

using std::chrono::milliseconds;

class LeaseTest : public testing::Test {
 protected:
  struct Replica {
    Replica(LeaseTest& test, std::string identity)
        : client(test.loop_, test.access(), "weir-test"),
          election(
              client, "weir", "leader", std::move(identity),
              [this](bool leading) { changes.push_back(leading); },
              LeaseTimings{milliseconds(600), milliseconds(60), milliseconds(300)}) {}
    ApiClient client;
    std::vector<bool> changes;
    LeaderElection election;
  };
  ClusterAccess access() {
    ClusterAccess out;
    out.server = server_.url();
    return out;
  }
  bool until(const std::function<bool()>& condition) { return run_until(loop_, condition); }

  fakes::FakeApiServer server_;
  loop::Loop loop_;
};

TEST_F(LeaseTest, OneOfTwoLeadsAndTheOtherTakesOverAfterTheRelease) {
  Replica one(*this, "one");
  Replica two(*this, "two");
  one.election.start();
  ASSERT_TRUE(until([&] { return one.election.leading(); }));
  two.election.start();
  run_for(loop_, milliseconds(900));
  EXPECT_FALSE(two.election.leading());
  EXPECT_EQ(two.election.holder(), "one");
  const base::Json lease = server_.get("Lease", "weir", "leader");
  EXPECT_EQ(lease.at_path("spec", "holderIdentity").as_string(), "one");
  EXPECT_EQ(lease.at_path("spec", "leaseTransitions").as_int(-1), 0);
  EXPECT_EQ(lease.at_path("spec", "renewTime").as_string().size(), 27U);

  bool released = false;
  one.election.release([&] { released = true; });
  EXPECT_FALSE(one.election.leading());
  ASSERT_TRUE(until([&] { return released; }));
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_TRUE(until([&] { return two.election.leading(); }));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(400));
  EXPECT_EQ(server_.get("Lease", "weir", "leader").at_path("spec", "leaseTransitions").as_int(), 1);
  EXPECT_EQ(one.changes, (std::vector<bool>{true, false}));
}

TEST_F(LeaseTest, ADeadLeaderIsReplacedAfterTheDuration) {
  auto one = std::make_unique<Replica>(*this, "one");
  one->election.start();
  ASSERT_TRUE(until([&] { return one->election.leading(); }));
  one.reset();
  Replica two(*this, "two");
  two.election.start();
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_TRUE(until([&] { return two.election.leading(); }));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(550));
}

TEST_F(LeaseTest, ALeaderThatCannotRenewGivesUpBeforeOthersTakeOver) {
  Replica one(*this, "one");
  one.election.start();
  ASSERT_TRUE(until([&] { return one.election.leading(); }));
  fakes::FakeFaults faults;
  faults.status = 500;
  server_.set_faults(faults);
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_TRUE(until([&] { return !one.election.leading(); }));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(550));
  server_.set_faults({});
  EXPECT_TRUE(until([&] { return one.election.leading(); }));
}

TEST_F(LeaseTest, ALeaseThatIsStolenIsGivenUpAtOnce) {
  Replica one(*this, "one");
  one.election.start();
  ASSERT_TRUE(until([&] { return one.election.leading(); }));
  base::Json lease = server_.get("Lease", "weir", "leader");
  lease.find("spec")->set("holderIdentity", base::Json("thief"));
  server_.put(lease);
  ASSERT_TRUE(until([&] { return !one.election.leading(); }));
  EXPECT_EQ(one.election.holder(), "thief");
}

}  // namespace
}  // namespace weir::kubernetes
