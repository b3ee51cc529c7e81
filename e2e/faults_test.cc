#include "e2e/harness/stage.h"

namespace weir::e2e {
namespace {

using Faults = OnBoth;

TEST_P(Faults, ForbiddenSecretsAreReportedAndEverythingElseIsServed) {
  deny("secrets");
  put(ingress({.name = "tls", .rules = {{"tls.test"}}, .secret = "t", .tls_hosts = {"tls.test"}}));
  put(simple_ingress("web", "web.test", "a"));
  start();
  EXPECT_TRUE(answers({"web.test"}, "a"));
  EXPECT_TRUE(answers({"tls.test"}, "", 308));
  EXPECT_TRUE(eventually([&] {
    return weir().admin("/reports").find("forbidden") != std::string::npos;
  })) << weir().admin("/reports");
}

TEST_P(Faults, ForbiddenIngressClassesLeaveTheAnnotation) {
  deny("ingressclasses");
  IngressSpec spec{.name = "web", .class_name = "", .rules = {{"web.test"}}};
  spec.annotations["kubernetes.io/ingress.class"] = "weir";
  put(ingress(spec));
  start();
  EXPECT_TRUE(answers({"web.test"}, "a"));
  EXPECT_NE(weir().admin("/reports").find("ingressclasses"), std::string::npos)
      << weir().admin("/reports");
}

TEST_P(Faults, AnAbsentApiServerChangesNothingAndItConvergesAfterwards) {
  start();
  put(simple_ingress("web", "web.test", "a"));
  EXPECT_TRUE(answers({"web.test"}, "a"));
  stop_api();
  Client client(weir().http());
  for (int i = 0; i < 200; ++i) EXPECT_EQ(client.ask({"web.test"}).backend(), "a");
  EXPECT_EQ(weir().admin_status("/readyz"), 200);
  api().start();
  put(simple_ingress("web", "web.test", "b"));
  put(simple_ingress("new", "new.test", "a"));
  EXPECT_TRUE(answers({"web.test"}, "b"));
  EXPECT_TRUE(answers({"new.test"}, "a"));
}

TEST_P(Faults, ACompactedHistoryIsListedAnew) {
  start();
  put(simple_ingress("web", "web.test", "a"));
  put(simple_ingress("stays", "stays.test", "a"));
  EXPECT_TRUE(answers({"stays.test"}, "a"));
  stop_api();
  api().compact();
  api().start();
  remove("Ingress", "web");
  put(simple_ingress("new", "new.test", "b"));
  EXPECT_TRUE(answers({"new.test"}, "b"));
  EXPECT_TRUE(answers({"web.test"}, "", 404));
  EXPECT_EQ(ask(weir().http(), {"stays.test"}).backend(), "a");
  const std::string log = weir().log();
  const std::size_t said = log.find("the API server has forgotten this version: listing anew");
  ASSERT_NE(said, std::string::npos) << "no watch was answered with 410";
  EXPECT_NE(log.substr(said, log.find('\n', said) - said).find("410"), std::string::npos);
}

TEST_P(Faults, ARestartedControllerFindsWhatChangedMeanwhile) {
  start();
  put(simple_ingress("web", "web.test", "a"));
  put(simple_ingress("gone", "gone.test", "a"));
  EXPECT_TRUE(answers({"gone.test"}, "a"));
  weir().kill_controller();
  put(simple_ingress("web", "web.test", "b"));
  remove("Ingress", "gone");
  EXPECT_EQ(ask(weir().http(), {"web.test"}).backend(), "a") << "the last good state goes on";
  weir().start_controller();
  EXPECT_TRUE(answers({"web.test"}, "b"));
  EXPECT_TRUE(answers({"gone.test"}, "", 404));
}

INSTANTIATE_TEST_SUITE_P(Api, Faults, testing::Values("fake", "real"),
                         [](const auto& tested) { return std::string(tested.param); });

}  // namespace
}  // namespace weir::e2e
