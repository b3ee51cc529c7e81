#include "controller/kubernetes/events.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_api_server.h"
#include "tests/unit/controller/kubernetes/recording_target.h"

namespace weir::kubernetes {
namespace {

using std::chrono::milliseconds;

class EventsTest : public testing::Test {
 protected:
  EventsTest() {
    ClusterAccess access;
    access.server = server_.url();
    client_ = std::make_unique<ApiClient>(loop_, access, "weir-test");
    recorder_ = std::make_unique<EventRecorder>(
        *client_, "weir.ingress/controller", "pod-1",
        EventLimits{3, milliseconds(100'000), milliseconds(100), milliseconds(400)});
  }
  void record(std::string note) {
    recorder_->record(about_, {true, "BackendMissing", "Translate", std::move(note)});
  }
  std::vector<base::Json> events() { return server_.all("Event"); }
  bool until(const std::function<bool()>& condition) { return run_until(loop_, condition); }

  fakes::FakeApiServer server_;
  loop::Loop loop_;
  std::unique_ptr<ApiClient> client_;
  std::unique_ptr<EventRecorder> recorder_;
  EventObject about_{"networking.k8s.io/v1", "Ingress", "shop", "web", "uid-1", "7"};
};

TEST_F(EventsTest, WritesAnEventWithAllThatTheApiDemands) {
  record("service shop/cart not found");
  ASSERT_TRUE(until([&] { return events().size() == 1; }));
  const base::Json event = events()[0];
  EXPECT_EQ(event.at_path("metadata", "namespace").as_string(), "shop");
  EXPECT_EQ(event["reason"].as_string(), "BackendMissing");
  EXPECT_EQ(event["action"].as_string(), "Translate");
  EXPECT_EQ(event["type"].as_string(), "Warning");
  EXPECT_EQ(event["note"].as_string(), "service shop/cart not found");
  EXPECT_EQ(event["reportingController"].as_string(), "weir.ingress/controller");
  EXPECT_EQ(event["reportingInstance"].as_string(), "pod-1");
  EXPECT_EQ(event.at_path("regarding", "uid").as_string(), "uid-1");
  EXPECT_EQ(event["eventTime"].as_string().size(), 27U);
  EXPECT_FALSE(event.has("series"));
}

TEST_F(EventsTest, FoldsRepeatsIntoASeries) {
  for (int i = 0; i < 20; ++i) record("again");
  const auto count = [&] {
    return events().empty() ? 0 : events()[0].at_path("series", "count").as_int();
  };
  ASSERT_TRUE(until([&] { return count() == 20; }));
  for (int i = 0; i < 5; ++i) record("again");
  ASSERT_TRUE(until([&] { return count() == 25; }));
  EXPECT_EQ(events().size(), 1U);
  EXPECT_LE(server_.count_requests("PATCH"), 3U);
  run_for(loop_, milliseconds(450));
  record("again");
  EXPECT_TRUE(until([&] { return events().size() == 2; }));
}

TEST_F(EventsTest, LimitsTheRatePerObject) {
  for (int i = 0; i < 10; ++i) record("problem " + std::to_string(i));
  about_.name = "other";
  record("other");
  ASSERT_TRUE(until([&] { return events().size() == 4; }));
  run_for(loop_, milliseconds(50));
  EXPECT_EQ(events().size(), 4U);
  EXPECT_EQ(recorder_->dropped(), 7U);
}

TEST_F(EventsTest, CutsLongNotesAtAWholeCharacter) {
  record(std::string(1023, 'x') + "\xc3\xa9 and more");
  ASSERT_TRUE(until([&] { return events().size() == 1; }));
  EXPECT_EQ(events()[0]["note"].as_string(), std::string(1023, 'x'));
}

TEST_F(EventsTest, AnEventThatIsRefusedIsDroppedAndNothingHangs) {
  fakes::FakeFaults faults;
  faults.denied = {"events"};
  server_.set_faults(faults);
  record("one");
  ASSERT_TRUE(until([&] { return recorder_->dropped() == 1; }));
  server_.set_faults({});
  record("one");
  EXPECT_TRUE(until([&] { return events().size() == 1; }));
}

}  // namespace
}  // namespace weir::kubernetes
