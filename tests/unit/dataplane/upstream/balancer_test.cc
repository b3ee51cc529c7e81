#include "dataplane/upstream/balancer.h"

#include <gtest/gtest.h>

#include <map>

namespace weir::upstream {
namespace {

using namespace std::chrono_literals;
using model::Balance;

// One worker's balancing of a cluster, with a clock that a test moves.
class BalancerTest : public testing::Test {
 protected:
  using Shares = std::map<std::string, int>;

  void set(const std::vector<std::string>& ids, const std::string& zone_of_first = {}) {
    std::vector<std::unique_ptr<Seat>> before = std::exchange(seats_, {});
    cluster.endpoints.clear();
    std::vector<Seat*> pointers;
    for (const std::string& id : ids) {
      auto seat = std::make_unique<Seat>();
      for (auto& old : before) {
        if (old != nullptr && old->id == id) seat = std::move(old);
      }
      if (seat->state == nullptr) {
        seat->state =
            std::make_shared<shared::EndpointState>(1, before.empty() ? base::TimePoint() : now);
      }
      seat->id = id;
      seat->home = &home;
      seat->index = static_cast<std::uint32_t>(pointers.size());
      seat->local = !zone_of_first.empty() && id.starts_with(zone_of_first);
      pointers.push_back(seat.get());
      cluster.endpoints.push_back({id, {}, 1, {}, seat->state});
      seats_.push_back(std::move(seat));
    }
    home.state = state;
    home.ejection = cluster.settings.ejection;
    balancer.sync(cluster, pointers);
  }
  Seat& seat(std::size_t at) { return *seats_[at]; }
  shared::EndpointState& state_of(std::size_t at) { return *seats_[at]->state; }
  std::string pick(const PickNeeds& needs = {}) {
    const Balancer::Pick found = balancer.pick(needs, now);
    exact = found.exact;
    return found.seat == nullptr ? "none" : found.seat->id;
  }
  Shares picks(int times, const PickNeeds& needs = {}) {
    Shares out;
    for (int i = 0; i < times; ++i) ++out[pick(needs)];
    return out;
  }
  void fail_connect(std::size_t at) {
    if (state_of(at).connect_failed(home.ejection, now)) state->changed();
  }

  Cluster cluster;
  std::shared_ptr<shared::ClusterState> state = std::make_shared<shared::ClusterState>();
  Home home;
  Balancer balancer{0};
  base::TimePoint now{std::chrono::hours(1)};
  bool exact = false;

 private:
  std::vector<std::unique_ptr<Seat>> seats_;
};

TEST_F(BalancerTest, AnEndpointThatRefusesIsLeftOutAndTriedByOneRequestLater) {
  set({"a", "b", "c"});
  fail_connect(0);
  EXPECT_EQ(picks(20), (Shares{{"b", 10}, {"c", 10}}));
  now += 1100ms;
  // One request finds out; the others go on elsewhere until that is known.
  EXPECT_EQ(picks(30)["a"], 1);
  state_of(0).connect_failed(home.ejection, now);
  EXPECT_EQ(picks(20)["a"], 0);
  now += 4s;
  EXPECT_EQ(picks(20)["a"], 1);
  EXPECT_TRUE(state_of(0).connected(now));
  state->changed();
  EXPECT_EQ(picks(30), (Shares{{"a", 10}, {"b", 10}, {"c", 10}}));
}

TEST_F(BalancerTest, WhenAllAreOutAllCountAsIn) {
  set({"a", "b"});
  model::HealthCheck rule;
  rule.unhealthy = 1;
  for (std::size_t i = 0; i < 2; ++i) EXPECT_TRUE(state_of(i).checked(false, rule, now));
  state->changed();
  EXPECT_EQ(picks(10), (Shares{{"a", 5}, {"b", 5}}));
  rule.healthy = 1;
  EXPECT_TRUE(state_of(1).checked(true, rule, now));
  state->changed();
  EXPECT_EQ(picks(10), (Shares{{"b", 10}}));
}

TEST_F(BalancerTest, NoMoreAreEjectedThanTheClusterAllows) {
  cluster.settings.ejection.max_percent = 50;
  set({"a", "b", "c", "d"});
  for (std::size_t i = 0; i < 3; ++i) {
    fail_connect(i);
    now += 10ms;
  }
  const Shares shares = picks(40);
  EXPECT_EQ(shares.size(), 2U);
  EXPECT_EQ(shares.count("d"), 1U);
  EXPECT_EQ(shares.count("a"), 1U) << "the one that would be back soonest";
  cluster.settings.ejection.max_percent = 0;
  set({"a", "b", "c", "d"});
  EXPECT_EQ(picks(40).size(), 4U);
}

TEST_F(BalancerTest, ANewcomerStartsSlowly) {
  cluster.settings.balance.slow_start = 10s;
  set({"a", "b", "c"});
  EXPECT_EQ(picks(30), (Shares{{"a", 10}, {"b", 10}, {"c", 10}})) << "who begins together is even";
  set({"a", "b", "c", "d"});
  int before = 0;
  for (int second = 0; second < 10; ++second) {
    const int share = picks(400)["d"];
    EXPECT_GE(share, before) << second;
    EXPECT_LE(share, 100);
    if (second == 0) {
      EXPECT_LT(share, 20);
    }
    before = share;
    now += 1s;
  }
  now += 1s;
  EXPECT_EQ(picks(400)["d"], 100);
}

TEST_F(BalancerTest, TheOwnZoneComesFirstAndSpillsOverWhenItIsTooSmall) {
  cluster.settings.balance.prefer_zone = true;
  set({"x1", "x2", "x3", "x4", "y1", "y2"}, "x");
  EXPECT_EQ(picks(40), (Shares{{"x1", 10}, {"x2", 10}, {"x3", 10}, {"x4", 10}}));
  model::HealthCheck rule;
  rule.unhealthy = 1;
  state_of(0).checked(false, rule, now);
  state->changed();
  EXPECT_EQ(picks(30).count("y1"), 0U) << "three of four are enough";
  state_of(1).checked(false, rule, now);
  state->changed();
  const Shares half = picks(1'000);
  EXPECT_NEAR(half.at("y1") + half.at("y2"), 300, 5) << "1 - 1.4 x 1/2";
  state_of(2).checked(false, rule, now);
  state_of(3).checked(false, rule, now);
  state->changed();
  EXPECT_EQ(picks(20), (Shares{{"y1", 10}, {"y2", 10}}));
}

TEST_F(BalancerTest, ARetryLeavesTheZoneRatherThanMeetTheSameEndpoint) {
  cluster.settings.balance.prefer_zone = true;
  set({"x1", "y1"}, "x");
  const std::vector<std::string> avoid = {"x1"};
  EXPECT_EQ(picks(5, {.avoid = avoid}), (Shares{{"y1", 5}}));
}

TEST_F(BalancerTest, AKeyStaysAndMovesOnlyWhileItsEndpointIsOut) {
  for (const Balance policy : {Balance::kKetama, Balance::kMaglev}) {
    cluster.settings.balance.policy = policy;
    std::vector<Places::Owner> owners;
    const std::vector<std::string> ids = {"10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"};
    for (const std::string& id : ids) owners.push_back({id, 1});
    cluster.places = std::make_shared<const Places>(
        policy == Balance::kKetama ? Places::ketama(owners) : Places::maglev(owners));
    set(ids);
    std::map<std::string, std::string> homes;
    for (int i = 0; i < 100; ++i)
      homes["k" + std::to_string(i)] = pick({.key = "k" + std::to_string(i)});
    fail_connect(1);
    for (const auto& [key, home_id] : homes) {
      const std::string at = pick({.key = key});
      EXPECT_EQ(exact, home_id != ids[1]);
      EXPECT_EQ(at == home_id, home_id != ids[1]) << key;
      EXPECT_EQ(pick({.key = key, .stay = true}), home_id);
    }
    const std::vector<std::string> avoid = {homes["k7"]};
    EXPECT_NE(pick({.key = "k7", .avoid = avoid}), homes["k7"]);
    EXPECT_EQ(picks(30).size(), 2U) << "without a key requests take turns";
    state_of(1).connected(now);
    now += 60s;
    state->changed();
    for (const auto& [key, home_id] : homes) EXPECT_EQ(pick({.key = key}), home_id);
  }
}

TEST_F(BalancerTest, ANameLeadsToItsEndpointOrNowhere) {
  cluster.settings.balance.policy = Balance::kNamed;
  cluster.names = {"name-a", "name-b"};
  set({"a", "b"});
  EXPECT_EQ(picks(5, {.key = "name-b"}), (Shares{{"b", 5}}));
  EXPECT_TRUE(exact);
  EXPECT_EQ(picks(4, {.key = "gone"}), (Shares{{"a", 2}, {"b", 2}}));
  EXPECT_FALSE(exact);
  fail_connect(1);
  EXPECT_EQ(pick({.key = "name-b"}), "a");
  EXPECT_EQ(pick({.key = "name-b", .stay = true}), "b");
  model::HealthCheck rule;
  rule.unhealthy = 1;
  state_of(1).checked(false, rule, now);
  state->changed();
  EXPECT_EQ(pick({.key = "name-b", .stay = true}), "a");
}

TEST_F(BalancerTest, ASubsetIsAlwaysTheSame) {
  cluster.settings.balance.policy = Balance::kKetamaSubset;
  cluster.settings.balance.subset_size = 2;
  cluster.places =
      std::make_shared<const Places>(Places::ketama({{"set1", 1}, {"set2", 1}, {"set3", 1}}));
  set({"a", "b", "c", "d", "e"});
  EXPECT_EQ(picks(50, {.key = "/c"}).size(), 2U);
  const Shares first = picks(50, {.key = "/c"});
  EXPECT_TRUE(first.contains("a") && first.contains("b")) << "set1";
  const Shares last = picks(50, {.key = "/a"});
  EXPECT_TRUE(last.contains("e") && last.contains("a")) << "set3 is filled up from the beginning";
}

TEST_F(BalancerTest, LeastConnTakesTheIdlestByWeight) {
  cluster.settings.balance.policy = Balance::kLeastConn;
  set({"a", "b", "c"});
  seat(0).active = 4;
  seat(1).active = 1;
  seat(2).active = 2;
  EXPECT_EQ(pick(), "b");
  seat(0).weight = 5;
  set({"a", "b", "c"});
  EXPECT_EQ(pick(), "a") << "5 of weight 5 are as 1 of weight 1";
  const std::vector<std::string> avoid = {"a", "b"};
  EXPECT_EQ(pick({.avoid = avoid}), "c");
  seat(0).active = seat(1).active = seat(2).active = 0;
  seat(0).weight = 1;
  set({"a", "b", "c"});
  EXPECT_EQ(picks(30), (Shares{{"a", 10}, {"b", 10}, {"c", 10}})) << "equals take turns";
}

TEST_F(BalancerTest, LeastConnCountsWhatOtherWorkersHaveInFlight) {
  cluster.settings.balance.policy = Balance::kLeastConn;
  set({"a", "b"});
  state_of(0).cell(0).requests = 3;
  now += 2ms;
  EXPECT_EQ(picks(6), (Shares{{"b", 6}}));
}

TEST_F(BalancerTest, EwmaGivesASlowEndpointLessAndANewOneTheAverage) {
  cluster.settings.balance.policy = Balance::kEwma;
  set({"a", "b", "c", "d"});
  for (std::size_t i = 0; i < 4; ++i) state_of(i).answered(i == 0 ? 500ms : 5ms, now);
  const Shares shares = picks(1'000);
  EXPECT_FALSE(shares.contains("a")) << "of two it is always the worse";
  EXPECT_EQ(shares.size(), 3U);
  set({"a", "b", "c", "d", "e"});
  now += 200ms;
  const int fresh = picks(1'000)["e"];
  EXPECT_GT(fresh, 20);
  EXPECT_LT(fresh, 300) << "neither flooded nor starved";
  now += 120s;
  state_of(0).answered(4ms, now);
  for (std::size_t i = 1; i < 5; ++i) state_of(i).answered(5ms, now);
  now += 200ms;
  EXPECT_GT(picks(1'000)["a"], 50) << "old slowness is forgotten";
}

TEST_F(BalancerTest, AnEmptySetHasNothingToPick) {
  set({});
  EXPECT_EQ(pick(), "none");
  EXPECT_EQ(pick({.key = "k"}), "none");
}

}  // namespace
}  // namespace weir::upstream
