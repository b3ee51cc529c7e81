#include <gtest/gtest.h>

#include <set>

#include "common/base/text.h"
#include "controller/annotations/key_check.h"
#include "controller/annotations/known_keys.h"
#include "controller/annotations/reader.h"

// What a feature makes of its values stands in tests/golden; here the mechanism.

namespace weir::annotations {
namespace {

class AnnotationsTest : public testing::Test {
 protected:
  AnnotationsTest() { ingress_.key = {store::Kind::kIngress, "shop", "web"}; }

  FeatureInput input() { return {defaults_, ingress_, nullptr, "a.test", false, view_}; }
  void set(const std::string& key, const std::string& value) { ingress_.annotations[key] = value; }

  Defaults defaults_;
  store::Ingress ingress_;
  store::Store store_;
  translate::View view_{store_};
};

TEST(ParseBool, TakesWhatGoTakesAndNothingElse) {
  for (const auto text : {"1", "t", "T", "true", "TRUE", "True"}) EXPECT_EQ(parse_bool(text), true);
  for (const auto text : {"0", "f", "F", "false", "FALSE", "False"})
    EXPECT_EQ(parse_bool(text), false);
  for (const auto text : {"", "on", "yes", "tRUE", " true", "2"})
    EXPECT_EQ(parse_bool(text), std::nullopt) << text;
}

TEST_F(AnnotationsTest, ValuesAreTrimmedPerLineAndTheOwnPrefixWins) {
  set("nginx.ingress.kubernetes.io/a", "  one \n  two  ");
  set("nginx.ingress.kubernetes.io/b", "theirs");
  set("weir.ingress/b", "ours");
  EXPECT_EQ(find(input(), "a")->value, "one\ntwo");
  EXPECT_EQ(find(input(), "b")->key, "weir.ingress/b");
  EXPECT_EQ(find(input(), "b")->value, "ours");
  EXPECT_FALSE(find(input(), "c"));
}

TEST_F(AnnotationsTest, ABadBoolGivesTheFallbackAndAReportThatNamesAllFour) {
  set("nginx.ingress.kubernetes.io/a", "on");
  FeatureOutput out;
  EXPECT_TRUE(read_bool(input(), "a", true, out));
  ASSERT_EQ(out.reports.size(), 1U);
  const translate::Report& report = out.reports[0];
  EXPECT_EQ(report.object.to_string(), "Ingress shop/web");
  EXPECT_EQ(report.field, "metadata.annotations[nginx.ingress.kubernetes.io/a]");
  EXPECT_EQ(report.value, "on");
  EXPECT_EQ(report.text, "must be true or false; the default, true, is used");
}

TEST_F(AnnotationsTest, ALongValueIsCutInItsReport) {
  set("nginx.ingress.kubernetes.io/server-snippet", std::string(5'000, 'x'));
  FeatureOutput out;
  check_keys(input(), out);
  ASSERT_EQ(out.reports.size(), 1U);
  EXPECT_LT(out.reports[0].value.size(), 300U);
}

TEST_F(AnnotationsTest, EveryKeyIsEitherReadOrReported) {
  for (const Feature* feature : features()) {
    for (const Row& row : feature->rows) {
      EXPECT_EQ(known_key(row.key) == nullptr, row.ours) << row.key;
      set((row.ours ? "weir.ingress/" : "nginx.ingress.kubernetes.io/") + std::string(row.key),
          "x");
    }
  }
  FeatureOutput none;
  check_keys(input(), none);
  EXPECT_TRUE(none.reports.empty());
  EXPECT_TRUE(none.deny_reason.empty());

  set("weir.ingress/enable-cors", "true");
  set("nginx.ingress.kubernetes.io/influxdb-port", "1");
  set("nginx.ingress.kubernetes.ioX/enable-cors", "true");
  FeatureOutput out;
  check_keys(input(), out);
  ASSERT_EQ(out.reports.size(), 2U);
  EXPECT_EQ(out.reports[0].reason, "AnnotationUnknown");
  EXPECT_EQ(out.reports[1].reason, "AnnotationUnsupported");
}

TEST_F(AnnotationsTest, AnUnsupportedKeyThatRestrictsAccessClosesThePaths) {
  for (const auto key : {"auth-url"}) {
    ingress_.annotations.clear();
    set(std::string("nginx.ingress.kubernetes.io/") + key, "x");
    FeatureOutput out;
    check_keys(input(), out);
    EXPECT_FALSE(out.deny_reason.empty()) << key;
    EXPECT_EQ(out.reports.size(), 1U) << key;
  }
}

TEST(KnownKeys, AreThe136OfIngressNginxAndTwoAliases) {
  EXPECT_EQ(known_key_count(), 138U);
  EXPECT_NE(known_key("affinity"), nullptr);
  EXPECT_NE(known_key("x-forwarded-prefix"), nullptr);
  EXPECT_EQ(known_key("secure-backends"), nullptr);
  EXPECT_EQ(removed_key_hint("secure-backends"), "use backend-protocol: HTTPS");
  EXPECT_FALSE(removed_key_hint("global-rate-limit-window").empty());
  EXPECT_TRUE(removed_key_hint("enable-cors").empty());
}

TEST(Features, HaveRowsThatSayWhatTheyTake) {
  std::set<std::string_view> stems;
  for (const Feature* feature : features()) {
    EXPECT_TRUE(stems.insert(feature->stem).second) << feature->stem;
    for (const Row& row : feature->rows) {
      EXPECT_FALSE(row.key.empty() || row.value.empty() || row.help.empty()) << row.key;
    }
  }
  EXPECT_GE(stems.size(), 5U);
}

}  // namespace
}  // namespace weir::annotations
