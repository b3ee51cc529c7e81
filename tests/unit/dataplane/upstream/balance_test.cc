#include "dataplane/upstream/balance.h"

#include <gtest/gtest.h>

#include <map>

namespace weir::upstream {
namespace {

std::vector<Endpoint> endpoints(const std::vector<std::pair<std::string, std::uint32_t>>& list) {
  std::vector<Endpoint> out;
  for (const auto& [id, weight] : list) out.push_back({id, {}, weight});
  return out;
}

void sync(RoundRobin& balance, const std::vector<Endpoint>& set) {
  std::vector<Candidate> candidates;
  for (const Endpoint& one : set) candidates.push_back({one.id, one.weight, nullptr});
  balance.sync(candidates);
}

std::string picks(RoundRobin& balance, const std::vector<Endpoint>& set, int times,
                  const std::vector<std::string>& avoid = {}) {
  std::string out;
  for (int i = 0; i < times; ++i) {
    const std::size_t at = balance.pick(avoid);
    out += at == RoundRobin::kNone ? "-" : set[at].id;
  }
  return out;
}

TEST(RoundRobin, FollowsTheSmoothOrder) {
  struct Case {
    std::string_view name;
    std::vector<std::pair<std::string, std::uint32_t>> set;
    unsigned start;
    std::string_view want;
  };
  for (const Case& c :
       std::vector<Case>{{"equal weights take turns", {{"a", 1}, {"b", 1}, {"c", 1}}, 0, "abcabc"},
                         {"nginx's example", {{"a", 5}, {"b", 1}, {"c", 1}}, 0, "aabacaa"},
                         {"workers begin elsewhere", {{"a", 1}, {"b", 1}, {"c", 1}}, 4, "bcabca"},
                         {"weight zero gets nothing", {{"a", 0}, {"b", 1}}, 0, "bbb"},
                         {"nobody has a weight", {{"a", 0}}, 0, "--"},
                         {"an empty set", {}, 3, "-"}}) {
    SCOPED_TRACE(c.name);
    RoundRobin balance(c.start);
    const auto set = endpoints(c.set);
    sync(balance, set);
    EXPECT_EQ(picks(balance, set, static_cast<int>(c.want.size())), c.want);
  }
}

TEST(RoundRobin, AvoidsAnEndpointUnlessItIsTheOnlyOne) {
  RoundRobin balance(0);
  const auto two = endpoints({{"a", 1}, {"b", 1}});
  sync(balance, two);
  EXPECT_EQ(picks(balance, two, 2, {"a"}), "bb");
  const auto one = endpoints({{"a", 1}});
  sync(balance, one);
  EXPECT_EQ(picks(balance, one, 1, {"a"}), "a");
  const auto three = endpoints({{"a", 1}, {"b", 1}, {"c", 1}});
  sync(balance, three);
  EXPECT_EQ(picks(balance, three, 3, {"a", "c"}), "bbb");
  EXPECT_NE(picks(balance, three, 1, {"a", "b", "c"}), "-");
}

TEST(RoundRobin, AChangeOfTheSetMovesNobodysTurn) {
  RoundRobin balance(0);
  auto set = endpoints({{"a", 1}, {"b", 1}, {"c", 1}});
  sync(balance, set);
  EXPECT_EQ(picks(balance, set, 1), "a");
  // The same set again after every pick, as 100 endpoint events a second would do.
  std::string order;
  for (int i = 0; i < 6; ++i) {
    sync(balance, set);
    order += picks(balance, set, 1);
  }
  EXPECT_EQ(order, "bcabca");
}

TEST(RoundRobin, ANewcomerIsNeitherFloodedNorStarved) {
  RoundRobin balance(0);
  auto set = endpoints({{"a", 1}, {"b", 1}, {"c", 1}});
  sync(balance, set);
  picks(balance, set, 1000);
  for (int round = 0; round < 50; ++round) {
    // Endpoints come and go; after each change the next picks are spread evenly.
    set = endpoints(
        round % 2 == 0
            ? std::vector<std::pair<std::string, std::uint32_t>>{{"a", 1}, {"b", 1}, {"d", 1}}
            : std::vector<std::pair<std::string, std::uint32_t>>{
                  {"a", 1}, {"b", 1}, {"c", 1}, {"e", 1}});
    sync(balance, set);
    std::map<char, int> seen;
    for (const char c : picks(balance, set, static_cast<int>(set.size()) * 10)) ++seen[c];
    for (const Endpoint& endpoint : set) {
      EXPECT_NEAR(seen[endpoint.id[0]], 10, 1) << endpoint.id << " in round " << round;
    }
  }
}

}  // namespace
}  // namespace weir::upstream
