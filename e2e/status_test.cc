#include <thread>

#include "e2e/harness/stage.h"

namespace weir::e2e {
namespace {

using Status = OnBoth;

TEST_P(Status, TheAddressStandsThereOnlyAfterTheDataplaneServes) {
  start();
  put(simple_ingress("web", "web.test", "a"));
  EXPECT_TRUE(status_becomes("web", "192.0.2.1"));
  EXPECT_EQ(ask(weir().http(), {"web.test"}).backend(), "a");

  weir().stop_dataplane();
  put(simple_ingress("late", "late.test", "b"));
  std::this_thread::sleep_for(Millis(1'500));
  EXPECT_EQ(address_of("late"), "") << "nothing serves it yet";
  weir().start_dataplane();
  EXPECT_TRUE(status_becomes("late", "192.0.2.1"));
  EXPECT_EQ(ask(weir().http(), {"late.test"}).backend(), "b");
}

TEST_P(Status, BothSidesOfAConflictAreTold) {
  start();
  put(simple_ingress("old", "web.test", "a"));
  std::this_thread::sleep_for(Millis(1'100));  // creation times are whole seconds
  put(simple_ingress("new", "web.test", "b"));
  EXPECT_TRUE(event_comes("new", "PathConflict"));
  EXPECT_TRUE(event_comes("old", "PathContested"));
  const std::string note = event_about("old", "PathContested")["note"].as_string();
  EXPECT_NE(note.find("shop/new"), std::string::npos) << note;
  EXPECT_EQ(event_about("old", "PathContested")["type"].as_string(), "Normal");
  EXPECT_TRUE(event_about("old", "PathConflict").is_null());
  EXPECT_TRUE(answers({"web.test"}, "a"));
  remove("Ingress", "old");
  EXPECT_TRUE(answers({"web.test"}, "b"));
}

TEST_P(Status, OnlyTheLeaderWritesAndAnotherTakesOverWhenItIsKilled) {
  start({}, 0);
  const auto holder = [this] {
    return api().get("Lease", "weir", "weir-leader").at_path("spec", "holderIdentity").as_string();
  };
  EXPECT_TRUE(eventually([&] { return holder() == "replica-0"; }));
  start({}, 1);
  put(simple_ingress("web", "web.test", "a"));
  EXPECT_TRUE(status_becomes("web", "192.0.2.1"));
  EXPECT_TRUE(answers({"web.test"}, "a", 200, 1)) << "every replica serves";

  weir(0).kill_controller();
  EXPECT_TRUE(answers({"web.test"}, "a", 200, 0)) << "its dataplane goes on";
  EXPECT_TRUE(status_becomes("web", "192.0.2.2", Millis(25'000)));
  EXPECT_EQ(holder(), "replica-1");
}

INSTANTIATE_TEST_SUITE_P(Api, Status, testing::Values("fake", "real"),
                         [](const auto& tested) { return std::string(tested.param); });

}  // namespace
}  // namespace weir::e2e
