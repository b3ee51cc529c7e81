#include "e2e/harness/stage.h"

namespace weir::e2e {
namespace {

using Serving = OnBoth;

TEST_P(Serving, AnIngressIsServedChangedAndTakenAway) {
  start();
  put(simple_ingress("web", "web.test", "a"));
  EXPECT_TRUE(answers({"web.test"}, "a"));
  put(simple_ingress("web", "web.test", "b"));
  EXPECT_TRUE(answers({"web.test"}, "b"));
  put(simple_ingress("web", "other.test", "b"));
  EXPECT_TRUE(answers({"other.test"}, "b"));
  EXPECT_TRUE(answers({"web.test"}, "", 404));
  remove("Ingress", "web");
  EXPECT_TRUE(answers({"other.test"}, "", 404));
}

TEST_P(Serving, WhatIsThereAtTheStartIsServedOnceItIsReady) {
  put(simple_ingress("web", "web.test", "a"));
  const Weir& weir = start();
  EXPECT_EQ(ask(weir.http(), {"web.test"}).backend(), "a");
}

TEST_P(Serving, EndpointsComeAndGo) {
  start();
  put(simple_ingress("web", "web.test", "a"));
  EXPECT_TRUE(answers({"web.test"}, "a"));
  put(slice("a-1", "a", {"10.200.1.2"}));
  EXPECT_TRUE(answers({"web.test"}, "b"));
  remove("EndpointSlice", "a-1");
  EXPECT_TRUE(answers({"web.test"}, "", 503));
  put(slice("a-2", "a", {"10.200.1.1"}));
  EXPECT_TRUE(answers({"web.test"}, "a"));
}

TEST_P(Serving, ATcpServiceFollowsItsConfigMap) {
  constexpr std::uint16_t kPort = 29'000;
  start({"--tcp-services-configmap", "shop/tcp"});
  const auto becomes = [&](const std::string& backend) {
    return eventually([&] { return ask(kPort, {"any.test"}).backend() == backend; });
  };
  put(config_map("tcp", {{"29000", "shop/a:80"}, {"80000", "shop/a:80"}}));
  EXPECT_TRUE(becomes("a"));
  EXPECT_TRUE(event_comes("tcp", "StreamPortInvalid"));
  put(config_map("tcp", {{"29000", "shop/b:http"}}));
  EXPECT_TRUE(becomes("b"));
  remove("ConfigMap", "tcp");
  EXPECT_TRUE(becomes(""));
}

INSTANTIATE_TEST_SUITE_P(Api, Serving, testing::Values("fake", "real"),
                         [](const auto& tested) { return std::string(tested.param); });

}  // namespace
}  // namespace weir::e2e
