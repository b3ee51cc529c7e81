#include "controller/translate/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/model/cluster.h"
#include "common/model/route.h"

// The engine alone, with a translator small enough to see through: a host unit has one route per
// Ingress, wants the cluster of its first path's Service, reads a Secret of the Ingress's name and
// adds one policy that all share. The real translator runs in tests/unit/controller/ingress.

namespace weir::translate {
namespace {

using store::Kind;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SmallTranslator final : public Translator {
 public:
  std::vector<UnitKey> fixed_units() const override { return {{UnitType::kGlobal, ""}}; }
  std::optional<UnitKey> unit_of(store::Index index, std::string_view value) const override {
    if (index != store::Index::kIngressByHost) return std::nullopt;
    return UnitKey{UnitType::kHost, std::string(value)};
  }
  bool builds(const UnitKey&) const override { return true; }
  UnitResult build(const UnitKey& unit, View& view) const override {
    ++builds_count;
    UnitResult result;
    if (unit.type == UnitType::kCluster) {
      model::Cluster cluster;
      cluster.name = unit.name;
      result.resources.push_back(model::make_resource(cluster));
    }
    if (unit.type != UnitType::kHost) return result;
    const auto ingresses = view.find<store::Ingress>(store::Index::kIngressByHost, unit.name);
    for (const auto& ingress : ingresses) add(*ingress, unit.name, view, result);
    return result;
  }
  mutable int builds_count = 0;

 private:
  static void add(const store::Ingress& ingress, const std::string& host, View& view,
                  UnitResult& result) {
    view.get<store::Secret>(Kind::kSecret, ingress.key.ns, ingress.key.name);
    model::Route route;
    route.table = "main";
    route.host = host;
    route.id = ingress.key.name;
    route.labels.path = ingress.resource_version;
    result.resources.push_back(model::make_policy("shared", 1, "{}"));
    route.policies.push_back(result.resources.back()->key.name);
    result.resources.push_back(model::make_resource(route));
    result.owners.push_back({ingress.key, {model::key_of(route)}});
    result.wants.push_back({UnitType::kCluster, "c-" + host});
    result.reports.push_back({ingress.key, Severity::kNote, "Seen", "", "", ""});
  }
};

store::ObjectPtr ingress(const std::string& name, const std::vector<std::string>& hosts,
                         const std::string& version = "1") {
  auto out = std::make_shared<store::Ingress>();
  out->key = {Kind::kIngress, "shop", name};
  out->resource_version = version;
  for (const std::string& host : hosts) out->rules.push_back({host, {}});
  return out;
}

store::ObjectKey secret(const std::string& name) { return {Kind::kSecret, "shop", name}; }
store::ObjectKey owner(const std::string& name) { return {Kind::kIngress, "shop", name}; }

class EngineTest : public testing::Test {
 protected:
  Engine::Changes run() {
    Engine::Changes changes;
    engine_.run(clock_, base::TimePoint::max(), changes);
    return changes;
  }
  static std::vector<std::string> names(const Engine::Changes& changes) {
    std::vector<std::string> out;
    for (const auto& one : changes.upserts) out.push_back("+" + one->key.to_string());
    for (const auto& key : changes.removals) out.push_back("-" + key.to_string());
    return out;
  }

  SmallTranslator translator_;
  store::Store store_;
  Engine engine_{store_, {&translator_}};
  base::ManualClock clock_;
  const std::string policy_ = model::make_policy("shared", 1, "{}")->key.to_string();
};

TEST_F(EngineTest, InternsPoliciesAndDropsThemWithTheirLastUnit) {
  engine_.touch(store_.put(ingress("a", {"x"})));
  EXPECT_THAT(names(run()), ElementsAre("+" + policy_, "+cluster c-x", "+route main/x/a"));
  engine_.touch(store_.put(ingress("b", {"y"})));
  EXPECT_THAT(names(run()), ElementsAre("+cluster c-y", "+route main/y/b"));
  engine_.touch(store_.remove(owner("a")));
  EXPECT_THAT(names(run()), ElementsAre("-cluster c-x", "-route main/x/a"));
  engine_.touch(store_.remove(owner("b")));
  EXPECT_THAT(names(run()), ElementsAre("-" + policy_, "-cluster c-y", "-route main/y/b"));
  EXPECT_EQ(engine_.unit_count(), 1U);
  EXPECT_THAT(engine_.reports(), IsEmpty());
}

TEST_F(EngineTest, ChangesOnlyTheOwnerWhoseResourcesDiffer) {
  engine_.touch(store_.put(ingress("a", {"x"})));
  engine_.touch(store_.put(ingress("b", {"x"})));
  run();
  engine_.touch(store_.put(ingress("b", {"x"}, "2")));
  const auto changes = run();
  EXPECT_THAT(names(changes), ElementsAre("+route main/x/b"));
  EXPECT_THAT(changes.owners_changed, ElementsAre(owner("b")));
  EXPECT_THAT(changes.reports_changed, IsEmpty());
  EXPECT_EQ(engine_.resources_of(owner("a")).size(), 1U);
  EXPECT_THAT(engine_.resources_of(owner("nobody")), IsEmpty());
}

TEST_F(EngineTest, WantsOnDemandObjectsAsLongAsAUnitReadsThem) {
  engine_.touch(store_.put(ingress("a", {"x", "y"})));
  EXPECT_THAT(run().wanted, ElementsAre(secret("a")));
  engine_.touch(store_.put(ingress("a", {"x"}, "2")));
  EXPECT_THAT(run().unwanted, IsEmpty());
  engine_.touch(store_.remove(owner("a")));
  EXPECT_THAT(run().unwanted, ElementsAre(secret("a")));
  EXPECT_THAT(engine_.wanted(), IsEmpty());
}

TEST_F(EngineTest, BuildsOnlyWhatReadTheChange) {
  engine_.touch(store_.put(ingress("a", {"x"})));
  engine_.touch(store_.put(ingress("b", {"y"})));
  run();
  translator_.builds_count = 0;
  auto found = std::make_shared<store::Secret>();
  found->key = secret("a");
  engine_.touch(store_.put(found));
  EXPECT_TRUE(run().empty());
  EXPECT_EQ(translator_.builds_count, 1);
  found = std::make_shared<store::Secret>();
  found->key = secret("nobody-reads-it");
  engine_.touch(store_.put(found));
  EXPECT_FALSE(engine_.dirty());
}

TEST_F(EngineTest, ASliceEndsAtItsDeadlineAndWhatItMadeIsHandedOutWithTheRest) {
  run();
  engine_.touch(store_.put(ingress("a", {"x"})));
  engine_.touch(store_.put(ingress("b", {"y"})));
  Engine::Changes changes;
  engine_.run(clock_, clock_.now(), changes);
  EXPECT_THAT(names(changes), ElementsAre());
  EXPECT_TRUE(engine_.dirty());
  engine_.run(clock_, clock_.now(), changes);
  EXPECT_THAT(names(changes), ElementsAre("+" + policy_, "+cluster c-x", "+cluster c-y",
                                          "+route main/x/a", "+route main/y/b"));
  EXPECT_FALSE(engine_.dirty());
}

TEST_F(EngineTest, StartsFromAStoreThatIsAlreadyFilled) {
  store_.put(ingress("a", {"x"}));
  Engine late(store_, {&translator_});
  Engine::Changes changes;
  late.run(clock_, base::TimePoint::max(), changes);
  EXPECT_EQ(names(changes).size(), 3U);
  late.mark_dirty({UnitType::kHost, "x"});
  EXPECT_TRUE(late.dirty());
}

}  // namespace
}  // namespace weir::translate
