#include "e2e/harness/stage.h"

namespace weir::e2e {
namespace {

using Class = OnBoth;

IngressSpec web(const std::string& class_name, const std::string& annotation = {}) {
  IngressSpec spec{.name = "web", .class_name = class_name, .rules = {{"web.test"}}};
  if (!annotation.empty()) spec.annotations["kubernetes.io/ingress.class"] = annotation;
  return spec;
}

TEST_P(Class, OnlyOurClassIsServedAndOnlyItGetsAStatus) {
  put(ingress_class("other", "example.com/other"));
  put(ingress(web("other")));
  put(ingress({.name = "ours", .rules = {{"ours.test"}}}));
  start();
  EXPECT_TRUE(answers({"ours.test"}, "a"));
  EXPECT_TRUE(status_becomes("ours", "192.0.2.1"));
  EXPECT_EQ(ask(weir().http(), {"web.test"}).status, 404);
  EXPECT_EQ(address_of("web"), "");
  // It changes sides: what we wrote is taken back.
  put(ingress(web("weir")));
  EXPECT_TRUE(answers({"web.test"}, "a"));
  EXPECT_TRUE(status_becomes("web", "192.0.2.1"));
  put(ingress(web("other")));
  EXPECT_TRUE(answers({"web.test"}, "", 404));
  EXPECT_TRUE(status_becomes("web", ""));
}

TEST_P(Class, TheAnnotationCountsWhereTheSpecNamesNoClass) {
  start();
  put(ingress(web("", "weir")));
  EXPECT_TRUE(answers({"web.test"}, "a"));
  put(ingress(web("", "nginx")));
  EXPECT_TRUE(answers({"web.test"}, "", 404));
}

TEST_P(Class, NoClassIsServedOnlyWhenAsked) {
  put(ingress(web("")));
  start();
  EXPECT_EQ(ask(weir().http(), {"web.test"}).status, 404);
  weir().stop();
  start({"--watch-ingress-without-class"}, 1);
  EXPECT_TRUE(answers({"web.test"}, "a", 200, 1));
}

TEST_P(Class, AClassThatComesLaterBringsItsIngresses) {
  start();
  put(ingress(web("late")));
  EXPECT_TRUE(answers({"web.test"}, "", 404));
  put(ingress_class("late", "weir.ingress/controller"));
  EXPECT_TRUE(answers({"web.test"}, "a"));
  api().remove("IngressClass", "", "late");
  EXPECT_TRUE(answers({"web.test"}, "", 404));
}

using ClassOnReal = OnReal;

TEST_F(ClassOnReal, TheDefaultClassIsFilledInByTheApiServer) {
  put(ingress_class("weir", "weir.ingress/controller", true));
  start();
  // The admission plugin learns of the class by a watch of its own.
  EXPECT_TRUE(eventually([&] {
    remove("Ingress", "web");
    put(ingress(web("")));
    return api().get("Ingress", "shop", "web").at_path("spec", "ingressClassName").as_string() ==
           "weir";
  }));
  EXPECT_TRUE(answers({"web.test"}, "a"));
}

INSTANTIATE_TEST_SUITE_P(Api, Class, testing::Values("fake", "real"),
                         [](const auto& tested) { return std::string(tested.param); });

}  // namespace
}  // namespace weir::e2e
