#include "controller/kubernetes/manifest_objects.h"

#include <gtest/gtest.h>

#include "tests/unit/controller/kubernetes/recording_target.h"

namespace weir::kubernetes {
namespace {

ManifestFile parse(std::string_view text, bool is_json = false) {
  auto file = parse_manifest(text, is_json, KindTable(test_kinds()));
  EXPECT_TRUE(file.ok()) << file.error().text;
  return std::move(file).value();
}

TEST(ParseManifest, FillsInWhatTheApiServerWouldFillIn) {
  const ManifestFile file = parse(R"(
apiVersion: v1
kind: Service
metadata: {name: cart}
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: weir, namespace: ignored}
)");
  ASSERT_EQ(file.objects.size(), 2U);
  EXPECT_EQ(file.objects[0].key(), "Service default/cart");
  EXPECT_EQ(file.objects[0].value.at_path("metadata", "namespace").as_string(), "default");
  EXPECT_EQ(file.objects[0].value.at_path("metadata", "resourceVersion").as_string(),
            file.objects[0].version);
  EXPECT_EQ(file.objects[1].key(), "IngressClass /weir");
  EXPECT_FALSE(file.objects[1].value["metadata"].has("namespace"));
}

TEST(ParseManifest, MakesAVersionThatChangesOnlyWithTheContent) {
  const auto version = [](std::string_view text) { return parse(text).objects.at(0).version; };
  const std::string one = version("{apiVersion: v1, kind: Service, metadata: {name: a}}");
  EXPECT_EQ(
      one,
      version(
          "# moved\n\n{apiVersion: v1, kind: Service, metadata: {name: a, resourceVersion: '7'}}"));
  EXPECT_NE(one, version("{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {x: 1}}"));
}

TEST(ParseManifest, OpensLists) {
  EXPECT_EQ(parse(R"({"apiVersion":"v1","kind":"List","items":[
      {"apiVersion":"v1","kind":"Service","metadata":{"name":"a"}},
      {"apiVersion":"v1","kind":"Service","metadata":{"name":"b","namespace":"n"}}]})",
                  true)
                .objects.size(),
            2U);
  const ManifestFile typed = parse(R"(
apiVersion: networking.k8s.io/v1
kind: IngressList
items:
- metadata: {name: a}
)");
  ASSERT_EQ(typed.objects.size(), 1U);
  EXPECT_EQ(typed.objects[0].key(), "Ingress default/a");
}

TEST(ParseManifest, MergesStringDataOfSecrets) {
  const ManifestFile file = parse(R"(
apiVersion: v1
kind: Secret
metadata: {name: s}
data: {keep: a2VlcA==, over: b2xk}
stringData: {over: new, add: "1"}
)");
  ASSERT_EQ(file.objects.size(), 1U);
  const base::Json& data = file.objects[0].value["data"];
  EXPECT_EQ(data.to_string(), R"({"keep":"a2VlcA==","over":"bmV3","add":"MQ=="})");
  EXPECT_FALSE(file.objects[0].value.has("stringData"));
}

TEST(ParseManifest, ReportsABadObjectAndKeepsTheOthers) {
  struct Case {
    std::string_view text, reason;
  };
  for (const Case& c : {
           Case{"{kind: Service}", "an object needs apiVersion and kind"},
           Case{"just text", "an object needs apiVersion and kind"},
           Case{"{apiVersion: v1, kind: Service, metadata: {}}", "metadata.name is missing"},
           Case{"{apiVersion: v1, kind: Service, metadata: {name: 7}}", "metadata.name is missing"},
           Case{"{apiVersion: v1, kind: Service, metadata: {name: x, annotations: {a: true}}}",
                "metadata.annotations[a]: true is not a string; put it in quotes"},
           Case{"{apiVersion: v1, kind: Service, metadata: {name: x, labels: [a]}}",
                "metadata.labels: [\"a\"] is not a map"},
           Case{"{apiVersion: v1, kind: Secret, metadata: {name: x}, stringData: {a: 1}}",
                "stringData[a]: 1 is not a string"},
           Case{"{apiVersion: networking.k8s.io/v1beta1, kind: Ingress, metadata: {name: x}}",
                "apiVersion networking.k8s.io/v1beta1 is not served; use networking.k8s.io/v1"},
       }) {
    const ManifestFile file = parse(
        std::string(c.text) + "\n---\n{apiVersion: v1, kind: Service, metadata: {name: good}}");
    EXPECT_EQ(file.objects.size(), 1U) << c.text;
    ASSERT_EQ(file.problems.size(), 1U) << c.text;
    EXPECT_NE(file.problems[0].reason.find(c.reason), std::string::npos) << file.problems[0].reason;
  }
}

TEST(ParseManifest, NamesKindsThatNobodyReads) {
  const ManifestFile file = parse("{apiVersion: apps/v1, kind: Deployment, metadata: {name: x}}");
  EXPECT_TRUE(file.problems.empty());
  EXPECT_EQ(file.unknown_kinds, std::vector<std::string>{"apps/v1 Deployment"});
}

}  // namespace
}  // namespace weir::kubernetes
