#include <gtest/gtest.h>

#include "controller/ingress/translator.h"
#include "tests/unit/controller/ingress/history.h"

// Over random histories the state that was kept up to date by changes equals the state of a fresh
// engine that sees everything at once; and whoever only follows the changes has the same state.

namespace weir::ingress {
namespace {

using translate::Engine;

Config make_config(std::uint32_t seed) {
  Config config;
  config.http_binds = {{"0.0.0.0", 80}};
  config.https_binds = {{"0.0.0.0", 443}};
  config.watch_without_class = seed % 2 == 0;
  config.disable_catch_all = seed % 5 == 4;
  config.ingress_class_by_name = seed % 7 == 6;
  if (seed % 4 != 3) config.settings_object = "a/one";
  if (seed % 3 == 1) config.default_backend_service = "a/one";
  if (seed % 3 == 2) config.default_ssl_certificate = "b/two";
  return config;
}

std::map<model::ResourceKey, std::string> hashes(const Engine& engine) {
  std::map<model::ResourceKey, std::string> out;
  for (const auto& [key, resource] : engine.resources()) out.emplace(key, resource->hash);
  return out;
}

// What publish, status and the source hold when they act on every change.
struct Follower {
  std::map<model::ResourceKey, std::string> resources;
  std::set<store::ObjectKey> wanted;
  std::map<store::ObjectKey, std::vector<translate::Report>> reports;
  std::map<store::ObjectKey, std::vector<model::ResourceKey>> owned;

  void take(const Engine& engine, const Engine::Changes& changes) {
    for (const auto& resource : changes.upserts) resources[resource->key] = resource->hash;
    for (const auto& key : changes.removals) EXPECT_EQ(resources.erase(key), 1U) << key.to_string();
    for (const auto& key : changes.wanted) EXPECT_TRUE(wanted.insert(key).second);
    for (const auto& key : changes.unwanted) EXPECT_EQ(wanted.erase(key), 1U);
    for (const auto& object : changes.reports_changed) {
      auto now = engine.reports_of(object);
      EXPECT_NE(reports[object], now) << object.to_string();
      reports[object] = std::move(now);
    }
    for (const auto& object : changes.owners_changed) owned[object] = engine.resources_of(object);
  }
};

void expect_same(const Engine& kept, const Follower& follower, const Engine& fresh) {
  EXPECT_EQ(hashes(kept), hashes(fresh));
  EXPECT_EQ(follower.resources, hashes(fresh));
  EXPECT_EQ(kept.reports(), fresh.reports());
  EXPECT_EQ(kept.wanted(), fresh.wanted());
  EXPECT_EQ(std::vector(follower.wanted.begin(), follower.wanted.end()), fresh.wanted());
  EXPECT_EQ(kept.unit_count(), fresh.unit_count());
  for (const auto& [object, keys] : follower.owned)
    EXPECT_EQ(keys, fresh.resources_of(object)) << object.to_string();
  for (const auto& [object, reports] : follower.reports)
    EXPECT_EQ(reports, fresh.reports_of(object)) << object.to_string();
}

// Every route must find its cluster, policies and certificates in the state of any run.
void expect_closed(const Engine& engine) {
  const auto& resources = engine.resources();
  for (const auto& [key, resource] : resources) {
    if (key.type != model::ResourceType::kRoute) continue;
    const auto route = model::read_resource<model::Route>(*resource);
    ASSERT_TRUE(route.ok());
    for (const auto& backend : route.value().backends)
      EXPECT_TRUE(resources.contains({model::ResourceType::kCluster, backend.cluster}));
    for (const auto& policy : route.value().policies)
      EXPECT_TRUE(resources.contains({model::ResourceType::kPolicy, policy}));
  }
}

void run_history(std::uint32_t seed, int steps) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  const IngressTranslator translator(make_config(seed));
  History history(seed);
  store::Store store;
  Engine kept(store, {&translator});
  Follower follower;
  base::ManualClock clock;
  for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
    SCOPED_TRACE("step " + std::to_string(i));
    kept.touch(history.step(store));
    // Sometimes the slice ends early and the rest waits for the next change.
    const bool cut = i % 5 == 0;
    Engine::Changes changes;
    kept.run(clock, cut ? clock.now() : base::TimePoint::max(), changes);
    if (i % 7 == 0 && !cut) kept.run(clock, base::TimePoint::max(), changes);
    follower.take(kept, changes);
    if (i % 10 != 9) continue;
    ASSERT_FALSE(kept.dirty());
    Engine fresh(store, {&translator});
    Engine::Changes all;
    fresh.run(clock, base::TimePoint::max(), all);
    expect_same(kept, follower, fresh);
    expect_closed(kept);
  }
}

TEST(IngressTranslation, EqualsAFullRebuildOverRandomHistories) {
  for (std::uint32_t seed = 1; seed <= 12; ++seed) run_history(seed, 400);
}

TEST(IngressTranslation, MarkingAllDirtyChangesNothing) {
  const IngressTranslator translator(make_config(2));
  History history(99);
  store::Store store;
  Engine engine(store, {&translator});
  for (int i = 0; i < 200; ++i) engine.touch(history.step(store));
  Engine::Changes changes;
  engine.run(base::system_clock(), base::TimePoint::max(), changes);
  EXPECT_FALSE(changes.empty());
  engine.mark_all_dirty();
  Engine::Changes again;
  engine.run(base::system_clock(), base::TimePoint::max(), again);
  EXPECT_TRUE(again.empty());
}

}  // namespace
}  // namespace weir::ingress
