#include "controller/store/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::shared_ptr<Ingress> ingress(const std::string& name, const std::vector<std::string>& hosts,
                                 const std::string& version = "") {
  auto out = std::make_shared<Ingress>();
  out->key = {Kind::kIngress, "shop", name};
  out->resource_version = version;
  for (const std::string& host : hosts) out->rules.push_back({host, {}});
  return out;
}

ReadKey key(const std::string& name) { return {ObjectKey{Kind::kIngress, "shop", name}}; }
ReadKey host(const std::string& name) { return {std::pair(Index::kIngressByHost, name)}; }

TEST(Store, TellsEveryIndexValueThatAnObjectHadOrHas) {
  Store store;
  EXPECT_THAT(store.put(ingress("a", {"x", "x", "y"})),
              UnorderedElementsAre(key("a"), host("x"), host("y")));
  EXPECT_THAT(store.put(ingress("a", {"y", "z"})),
              UnorderedElementsAre(key("a"), host("x"), host("y"), host("z")));
  EXPECT_FALSE(store.has(Index::kIngressByHost, "x"));
  EXPECT_THAT(store.remove({Kind::kIngress, "shop", "a"}),
              UnorderedElementsAre(key("a"), host("y"), host("z")));
  EXPECT_THAT(store.remove({Kind::kIngress, "shop", "a"}), IsEmpty());
  EXPECT_THAT(store.index_values(Index::kIngressByHost), IsEmpty());
}

TEST(Store, TouchesNothingForTheVersionThatIsThere) {
  Store store;
  store.put(ingress("a", {"x"}, "7"));
  EXPECT_THAT(store.put(ingress("a", {"y"}, "7")), IsEmpty());
  EXPECT_TRUE(store.has(Index::kIngressByHost, "x"));
  EXPECT_FALSE(store.put(ingress("a", {"y"}, "8")).empty());
}

TEST(Store, TakesACustomObjectAgainAtItsVersion) {
  Store store;
  const auto settings = [] {
    auto out = std::make_shared<WeirSettings>();
    out->key = {Kind::kWeirSettings, "shop", "a"};
    out->resource_version = "7";
    return out;
  };
  store.put(settings());
  EXPECT_FALSE(store.put(settings()).empty()) << "its schema may have changed";
}

TEST(Store, FindsInOrderOfNameAndCountsPerKind) {
  Store store;
  store.put(ingress("b", {"x"}));
  store.put(ingress("a", {"x", ""}));
  store.put(ingress("a", {"x", ""}));
  const auto found = store.find(Index::kIngressByHost, "x");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0]->key.name, "a");
  EXPECT_EQ(found[1]->key.name, "b");
  EXPECT_THAT(store.index_values(Index::kIngressByHost), ElementsAre("*", "x"));
  EXPECT_EQ(store.size(Kind::kIngress), 2U);
  EXPECT_EQ(store.all(Kind::kIngress).size(), 2U);
  EXPECT_EQ(store.size(Kind::kService), 0U);
  EXPECT_EQ(store.get({Kind::kIngress, "shop", "c"}), nullptr);
  EXPECT_THAT(store.find(Index::kIngressByHost, "nobody"), IsEmpty());
}

TEST(Kinds, EveryRowStandsAtItsEnumeratorAndIsFoundByItsDescriptor) {
  ASSERT_EQ(kind_rows().size(), kKinds);
  for (const KindRow& one : kind_rows()) {
    EXPECT_EQ(&row(one.kind), &one);
    EXPECT_EQ(row_of(one.descriptor), &one);
    const bool on_demand = one.kind == Kind::kSecret || one.kind == Kind::kConfigMap;
    EXPECT_EQ(one.descriptor.fetch == kubernetes::Fetch::kOnDemand, on_demand);
  }
  EXPECT_EQ(descriptors().size(), kKinds);
  EXPECT_EQ(row_of({.kind = "Pod", .group = "", .version = "v1", .plural = "pods"}), nullptr);
}

}  // namespace
}  // namespace weir::store
