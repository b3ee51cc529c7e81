#include "dataplane/snapshot/builder.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "dataplane/snapshot/dump.h"
#include "tests/unit/dataplane/snapshot/fixture.h"

namespace weir::snapshot {
namespace {

using model::ResourceType;

TEST(Builder, MakesRoutesClustersAndListenersFromATransaction) {
  Bench bench;
  const auto outcome = bench.builder.apply(upserts(
      7, {cluster("c1"), endpoints("c1", {2, 1}), route("a.test", "x"), listener("http", 80)}));
  ASSERT_NE(outcome.swap.snapshot, nullptr);
  EXPECT_TRUE(outcome.degraded.empty());
  EXPECT_EQ(outcome.swap.snapshot->version, 7U);
  EXPECT_EQ(outcome.swap.changed_clusters, std::vector<std::string>{"c1"});
  const exchange::RoutePlan* const plan = bench.find("a.test", "/x/y");
  ASSERT_NE(plan, nullptr);
  EXPECT_EQ(plan->unavailable, "");
  ASSERT_EQ(plan->backends.size(), 1U);
  EXPECT_EQ(plan->total_weight, 1U);
  const upstream::Cluster* const found =
      bench.builder.current()->clusters.find("c1", plan->backends[0].cluster_hash);
  ASSERT_NE(found, nullptr);
  ASSERT_EQ(found->endpoints.size(), 2U);
  EXPECT_EQ(found->endpoints[0].id, "10.0.0.1:80");
  EXPECT_EQ(bench.labels.find(plan->labels)->route.ingress, "ing-x");
}

TEST(Builder, AppliesATransactionWholeOrNotAtAll) {
  model::Listener no_port;
  no_port.name = "bad";
  no_port.binds.push_back({"127.0.0.1", 0});
  model::Endpoints bad_address;
  bad_address.cluster = "c9";
  bad_address.endpoints.push_back({"x:80", "x", 80, 1, ""});
  model::Endpoints twice;
  twice.cluster = "c9";
  twice.endpoints = {{"i", "10.0.0.1", 80, 1, ""}, {"i", "10.0.0.2", 80, 1, ""}};
  model::TicketKeys tickets;
  tickets.count = 1;
  model::Route bad_regex;
  bad_regex.table = "main";
  bad_regex.host = "a.test";
  bad_regex.id = "r";
  bad_regex.match.path = {model::PathKind::kRegex, "/(", false};
  auto wrong_name = std::make_shared<model::Resource>(*cluster("c5"));
  wrong_name->key.name = "c6";
  auto no_json = std::make_shared<model::Resource>(*cluster("c5"));
  no_json->json = "{";
  model::Certificate certificate;
  certificate.name = "ns/tls";
  struct Case {
    std::string_view name;
    model::ResourcePtr resource;
    std::string_view text;
  };
  for (const Case& c :
       {Case{"port 0", model::make_resource(no_port), "binds[0].port"},
        Case{"address", model::make_resource(bad_address), "x"},
        Case{"endpoint twice", model::make_resource(twice), "twice"},
        Case{"ticket keys missing", model::make_resource(tickets), "count"},
        Case{"ticket key short", model::make_resource(tickets, {"short"}), "80"},
        Case{"regex", model::make_resource(bad_regex), "/("},
        Case{"another name", wrong_name, "c5"}, Case{"broken JSON", no_json, "c5"},
        Case{"certificate without key", model::make_resource(certificate, {"der"}), "key"},
        Case{"bind of another", listener("web", 80), "http"}}) {
    SCOPED_TRACE(c.name);
    Bench bench;
    ASSERT_NE(bench.builder.apply(upserts(1, {listener("http", 80)})).swap.snapshot, nullptr);
    const std::string before = dump(*bench.builder.current()).to_string();
    const auto outcome = bench.builder.apply(
        upserts(2, {cluster("c1"), route("a.test", "x", {"a/none"}), c.resource}));
    EXPECT_EQ(outcome.swap.snapshot, nullptr);
    ASSERT_EQ(outcome.reasons.size(), 1U);
    EXPECT_EQ(outcome.reasons[0].name, c.resource->key.name);
    EXPECT_NE(outcome.reasons[0].text.find(c.text), std::string::npos) << outcome.reasons[0].text;
    EXPECT_EQ(dump(*bench.builder.current()).to_string(), before);
    EXPECT_EQ(bench.labels.size(), 0U);
    // The rest, sent again without the bad one, applies.
    EXPECT_NE(bench.builder.apply(upserts(3, {cluster("c1"), route("a.test", "x")})).swap.snapshot,
              nullptr);
  }
}

TEST(Builder, AnUnknownPolicyMakesItsRouteUnavailableUntilItComes) {
  Bench bench;
  const auto policy = model::make_policy("a", 1, "{}");
  auto outcome = bench.builder.apply(
      upserts(1, {cluster("c1"), route("a.test", "x", {policy->key.name}), route("a.test", "y")}));
  ASSERT_EQ(outcome.degraded.size(), 1U);
  EXPECT_EQ(outcome.degraded[0].name, "main/a.test/x");
  EXPECT_NE(bench.find("a.test", "/x")->unavailable, "");
  EXPECT_EQ(bench.find("a.test", "/y")->unavailable, "");
  outcome = bench.builder.apply(upserts(2, {policy}));
  EXPECT_TRUE(outcome.degraded.empty());
  EXPECT_EQ(bench.find("a.test", "/x")->unavailable, "");
  EXPECT_EQ(bench.find("a.test", "/x")->filters.size(), 1U);
  outcome = bench.builder.apply(upserts(3, {}, {policy->key}));
  EXPECT_EQ(outcome.degraded.size(), 1U);
  EXPECT_NE(bench.find("a.test", "/x")->unavailable, "");
}

TEST(Builder, FailsClosedOnWhatThePolicyAsksFor) {
  struct Case {
    std::string_view name;
    model::ResourcePtr policy;
    bool works;
  };
  for (const Case& c : {Case{"known", model::make_policy("b", 3, "{}"), true},
                        Case{"older revision", model::make_policy("b", 2, "{}"), true},
                        Case{"newer revision", model::make_policy("b", 4, "{}"), false},
                        Case{"unknown feature", model::make_policy("zz", 1, "{}"), false},
                        Case{"refused settings", model::make_policy("a", 1, "[1]"), false}}) {
    SCOPED_TRACE(c.name);
    Bench bench;
    const auto outcome = bench.builder.apply(
        upserts(1, {c.policy, cluster("c1"), route("a.test", "x", {c.policy->key.name})}));
    EXPECT_EQ(bench.find("a.test", "/x")->unavailable.empty(), c.works);
    EXPECT_EQ(outcome.degraded.empty(), c.works);
  }
}

TEST(Builder, PutsFiltersInChainOrderAndSharesThem) {
  Bench bench;
  const auto a = model::make_policy("a", 1, "{}");
  const auto b = model::make_policy("b", 1, "{}");
  bench.builder.apply(
      upserts(1, {a, b, cluster("c1"), route("a.test", "x", {b->key.name, a->key.name}),
                  route("a.test", "y", {a->key.name})}));
  const auto chain = bench.find("a.test", "/x")->filters.at(exchange::Hook::kRequestHead);
  ASSERT_EQ(chain.size(), 2U);
  EXPECT_EQ(chain[0].filter->stem(), "a");
  EXPECT_EQ(chain[1].filter->stem(), "b");
  EXPECT_EQ(bench.find("a.test", "/y")->filters.at(exchange::Hook::kRequestHead)[0].filter,
            chain[0].filter);
}

TEST(Builder, AFullTransactionDropsWhatItDoesNotName) {
  Bench bench;
  bench.builder.apply(upserts(1, {cluster("c1"), cluster("c2"), route("a.test", "x"),
                                  route("b.test", "y"), listener("http", 80)}));
  Transaction full = upserts(2, {cluster("c2"), route("b.test", "y", {}, "c2")});
  full.full = true;
  const auto outcome = bench.builder.apply(full);
  EXPECT_EQ(outcome.swap.removed_clusters.size(), 1U);
  EXPECT_EQ(bench.find("a.test", "/x"), nullptr);
  EXPECT_NE(bench.find("b.test", "/y"), nullptr);
  EXPECT_TRUE(bench.builder.current()->listeners.empty());
  EXPECT_EQ(bench.builder.state().all(ResourceType::kCluster).size(), 1U);
  EXPECT_EQ(bench.labels.size(), 1U);
}

TEST(Builder, AClusterKeepsItsIndexAndAFreedOneWaitsForOldSnapshots) {
  Bench bench;
  bench.builder.apply(upserts(1, {cluster("c1"), cluster("c2")}));
  const auto index = [&bench](const char* name) {
    return bench.builder.current()->clusters.find(name)->index;
  };
  const std::uint32_t first = index("c1");
  bench.builder.apply(upserts(2, {endpoints("c1", {1})}));
  EXPECT_EQ(index("c1"), first);
  auto old = bench.builder.current();
  bench.builder.apply(upserts(3, {}, {cluster("c1")->key}));
  bench.builder.apply(upserts(4, {cluster("c3")}));
  EXPECT_NE(index("c3"), first);
  old.reset();
  bench.builder.apply(upserts(5, {cluster("c4")}));
  EXPECT_EQ(index("c4"), first);
}

TEST(Builder, SharesWhatATransactionDoesNotTouch) {
  Bench bench;
  std::vector<model::ResourcePtr> all;
  for (int i = 0; i < 500; ++i) all.push_back(cluster("c" + std::to_string(i)));
  bench.builder.apply(upserts(1, all));
  const auto before = bench.builder.current();
  bench.builder.apply(upserts(2, {endpoints("c7", {1})}));
  std::size_t moved = 0;
  for (int i = 0; i < 500; ++i) {
    const std::string name = "c" + std::to_string(i);
    moved += before->clusters.find(name) != bench.builder.current()->clusters.find(name) ? 1 : 0;
  }
  EXPECT_EQ(moved, 1U);
}

// Random resources of a few names, so that histories meet the same ones again and again.
class Dice {
 public:
  explicit Dice(unsigned seed) : random_(seed) {
    for (int i = 0; i < 4; ++i) {
      policies_.push_back(model::make_policy(i % 2 == 0 ? "a" : "b",
                                             static_cast<std::uint32_t>(1 + i),
                                             i == 2 ? "[]" : "{}", {std::to_string(i)}));
    }
  }
  int pick(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
  model::ResourcePtr resource() {
    const std::string c = "c" + std::to_string(pick(5));
    switch (pick(7)) {
      case 0:
        return cluster(c);
      case 1:
        return endpoints(c, {1 + pick(3), 5 + pick(3)});
      case 2:
        return policy();
      case 3: {
        model::Host host;
        host.table = "main";
        host.name = "h" + std::to_string(pick(3)) + ".test";
        host.fall_through = pick(2) == 0;
        return model::make_resource(host);
      }
      case 4: {
        model::Settings settings;
        settings.max_fields = static_cast<std::uint32_t>(50 + pick(3));
        return model::make_resource(settings);
      }
      default:
        return route("h" + std::to_string(pick(3)) + ".test", "r" + std::to_string(pick(4)),
                     {policy()->key.name}, c);
    }
  }

 private:
  model::ResourcePtr policy() { return policies_[static_cast<std::size_t>(pick(4))]; }
  std::mt19937 random_;
  std::vector<model::ResourcePtr> policies_;
};

// Everything that the grown builder holds, given to a fresh one, makes the same snapshot.
void expect_equal_to_fresh(Bench& grown, std::uint64_t version) {
  std::vector<model::ResourcePtr> all;
  const auto& tables = grown.builder.current()->tables;
  // The state keeps no content of hosts and routes: their table does.
  for (std::size_t t = 0; t < model::kResourceTypes; ++t) {
    for (const auto& [name, one] : grown.builder.state().all(static_cast<ResourceType>(t))) {
      if (one->key.type == ResourceType::kHost) {
        const std::size_t slash = name.find('/');  // "table/host"
        all.push_back(model::make_resource(
            *tables.find(name.substr(0, slash))->host(name.substr(slash + 1))));
      } else if (one->key.type != ResourceType::kRoute) {
        all.push_back(one);
      }
    }
  }
  tables.for_each([&all](std::string_view, const routing::RouteTable& table) {
    for (const auto& target : table.routes()) all.push_back(model::make_resource(target->route()));
  });
  Bench fresh;
  ASSERT_NE(fresh.builder.apply(upserts(version, all)).swap.snapshot, nullptr);
  ASSERT_EQ(dump(*grown.builder.current()).to_string(), dump(*fresh.builder.current()).to_string());
  ASSERT_EQ(grown.labels.size(), fresh.labels.size());
  for (std::size_t t = 0; t < model::kResourceTypes; ++t) {
    const auto type = static_cast<ResourceType>(t);
    ASSERT_EQ(grown.builder.state().digest(type), fresh.builder.state().digest(type));
  }
}

TEST(Builder, IncrementalEqualsFromScratch) {
  Dice dice(20'261);
  for (int history = 0; history < 20; ++history) {
    Bench grown;
    for (std::uint64_t version = 1; version <= 30; ++version) {
      SCOPED_TRACE("history " + std::to_string(history) + " version " + std::to_string(version));
      std::vector<model::ResourcePtr> change;
      std::vector<model::ResourceKey> removals;
      for (int i = dice.pick(5); i >= 0; --i) change.push_back(dice.resource());
      for (int i = dice.pick(4); i > 0; --i) removals.push_back(dice.resource()->key);
      Transaction transaction = upserts(version, change, removals);
      transaction.full = dice.pick(15) == 0;
      ASSERT_NE(grown.builder.apply(transaction).swap.snapshot, nullptr);
      expect_equal_to_fresh(grown, version);
      if (HasFatalFailure()) return;
    }
    EXPECT_EQ(grown.generations.live(), 1U);
  }
}

TEST(Dump, ShowsCertificatesWithoutTheirKeys) {
  Bench bench;
  model::Certificate certificate;
  certificate.name = "ns/tls";
  certificate.fingerprint = "abcd";
  certificate.not_after = 42;
  bench.builder.apply(upserts(1, {model::make_resource(certificate, {"DERBYTES", "SECRETKEY"})}));
  const std::string text = dump(*bench.builder.current()).to_string();
  EXPECT_NE(text.find("abcd"), std::string::npos);
  EXPECT_NE(text.find("42"), std::string::npos);
  EXPECT_EQ(text.find("SECRETKEY"), std::string::npos);
  EXPECT_EQ(text.find("DERBYTES"), std::string::npos);
}

}  // namespace
}  // namespace weir::snapshot
