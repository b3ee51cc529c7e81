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

INSTANTIATE_TEST_SUITE_P(Api, Serving, testing::Values("fake", "real"),
                         [](const auto& tested) { return std::string(tested.param); });

}  // namespace
}  // namespace weir::e2e
