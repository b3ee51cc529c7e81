#include "dataplane/snapshot/chains.h"

#include <gtest/gtest.h>

#include "tests/unit/dataplane/snapshot/fixture.h"

namespace weir::snapshot {
namespace {

exchange::FilterPtr filter() { return std::make_shared<const TestFilter>("a"); }

const void* lists_of(const exchange::FilterChain& chain) {
  return chain.at(exchange::Hook::kRequestHead).data();
}

TEST(Chains, SharesTheListsOfTheSameFiltersInTheSameOrder) {
  Chains chains;
  const auto a = filter();
  const auto b = filter();
  const auto first = chains.of({a, b});
  const auto again = chains.of({a, b});
  const auto other_way = chains.of({b, a});
  EXPECT_EQ(lists_of(first), lists_of(again));
  EXPECT_NE(lists_of(first), lists_of(other_way));
  EXPECT_EQ(other_way.at(exchange::Hook::kRequestHead)[0].filter, b.get());
  EXPECT_EQ(chains.of({}).size(), 0U);
  EXPECT_EQ(chains.size(), 2U);
}

TEST(Chains, KeepsNoFilterAliveAndForgetsChainsThatAreGone) {
  Chains chains;
  std::weak_ptr<const exchange::Filter> gone;
  for (int i = 0; i < 10'000; ++i) {
    auto one = filter();
    gone = one;
    const auto chain = chains.of({std::move(one)});
    ASSERT_EQ(chain.at(exchange::Hook::kRequestHead)[0].filter, gone.lock().get());
  }
  EXPECT_TRUE(gone.expired());
  EXPECT_LE(chains.size(), 65U);
}

TEST(Chains, RoutesWithTheSamePoliciesShareOneChain) {
  Bench bench;
  const auto a = model::make_policy("a", 1, "{}");
  const auto b = model::make_policy("b", 1, "{}");
  const auto outcome = bench.builder.apply(upserts(
      1, {cluster("c1"), a, b, route("a.test", "x", {a->key.name}),
          route("b.test", "x", {a->key.name}), route("c.test", "x", {a->key.name, b->key.name})}));
  ASSERT_NE(outcome.swap.snapshot, nullptr);
  const auto lists = [&](const std::string& host) {
    return lists_of(bench.find(host, "/x")->filters);
  };
  ASSERT_NE(lists("a.test"), nullptr);
  EXPECT_EQ(lists("a.test"), lists("b.test"));
  EXPECT_NE(lists("a.test"), lists("c.test"));
}

}  // namespace
}  // namespace weir::snapshot
