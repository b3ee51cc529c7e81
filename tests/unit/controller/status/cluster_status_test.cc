#include "controller/status/cluster_status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/controller/status/whole_controller.h"

namespace weir::status {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

constexpr const char* kBalancer =
    R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"weir","namespace":"ingress"},
        "spec":{"type":"LoadBalancer","clusterIP":"10.0.0.1","ports":[{"port":80}]},
        "status":{"loadBalancer":{"ingress":[{"hostname":"lb.example.com"},
                                             {"ip":"203.0.113.9"}]}}})";

class ClusterStatusTest : public WholeController {
 protected:
  void start(AddressSource addresses = {"", {"192.0.2.1"}},
             kubernetes::LeaseTimings timings = kQuickLease) {
    admin::Options options;
    options.publish_service = addresses.publish_service;
    options.watch_namespaces = watched_;
    options.settings = "weir/main";
    WholeController::start(std::move(options), std::move(addresses), timings);
  }

  void serve_settings() {
    server_.serve({"WeirSettings", "weir.ingress", "v1alpha1", "weirsettings", true, true});
  }
  void put_settings(const std::string& spec, const std::string& name = "main") {
    server_.put(
        R"({"apiVersion":"weir.ingress/v1alpha1","kind":"WeirSettings","metadata":{"name":")" +
        name + R"(","namespace":"weir"},"spec":)" + spec + "}");
  }
  // "True Programmed"; with another generation than the object's " (old)" behind it; "": it is not
  // there.
  std::string condition(const std::string& type, const std::string& name = "main") const {
    const base::Json object = server_.get("WeirSettings", "weir", name);
    for (const base::Json& one : object.at_path("status", "conditions").items()) {
      if (one["type"].as_string() != type) continue;
      const bool old =
          one["observedGeneration"].as_int(-1) != object.at_path("metadata", "generation").as_int();
      return one["status"].as_string() + " " + one["reason"].as_string() + (old ? " (old)" : "");
    }
    return "";
  }
  std::string settings_now() const {
    const auto& resources = controller_->pipeline().engine().resources();
    const auto found = resources.find({model::ResourceType::kSettings, "default"});
    return found == resources.end() ? "" : found->second->json;
  }

  std::vector<std::string> watched_;  // empty: all
};

TEST_F(ClusterStatusTest, AddressesAreWrittenAfterTheAckAndNotBefore) {
  acknowledges_ = false;
  server_.put(new_ingress("web"));
  start();
  ASSERT_TRUE(until([this] { return dataplane_.has(wire::FrameType::kCommit); }));
  ASSERT_TRUE(until([this] { return status_->is_leader(); }));
  run_for(milliseconds(1'200));
  EXPECT_EQ(addresses("web"), "");
  EXPECT_EQ(server_.count_requests("/status"), 0U);
  acknowledges_ = true;
  EXPECT_TRUE(until([this] { return addresses("web") == "192.0.2.1 "; }));
}

TEST_F(ClusterStatusTest, WhatStandsThereAlreadyIsNotWrittenAgain) {
  server_.put(new_ingress("web"));
  start();
  ASSERT_TRUE(until([this] { return addresses("web") == "192.0.2.1 "; }));
  run_for(milliseconds(1'300));
  EXPECT_EQ(server_.count_requests("/status"), 1U);
}

TEST_F(ClusterStatusTest, AReplicaThatDoesNotLeadWritesNothing) {
  server_.put(R"({"apiVersion":"coordination.k8s.io/v1","kind":"Lease",
                  "metadata":{"name":"leader","namespace":"weir"},
                  "spec":{"holderIdentity":"another","leaseDurationSeconds":15,
                          "renewTime":"2026-01-01T00:00:00.000000Z","leaseTransitions":0}})");
  server_.put(new_ingress("web"));
  start({"", {"192.0.2.1"}}, {milliseconds(2'000), milliseconds(60), milliseconds(300)});
  run_for(milliseconds(1'200));
  EXPECT_FALSE(status_->is_leader());
  EXPECT_EQ(addresses("web"), "");
  EXPECT_TRUE(notes("web").empty());
  // The other one has died: all that waited is written.
  EXPECT_TRUE(until([this] { return addresses("web") == "192.0.2.1 "; }));
  EXPECT_TRUE(until([this] { return !notes("web").empty(); }));
}

TEST_F(ClusterStatusTest, AnIngressThatIsNotOursKeepsWhatOthersWroteAndLosesWhatWeWrote) {
  base::Json foreign = new_ingress("foreign", "other");
  foreign.set("status",
              base::Json::parse(R"({"loadBalancer":{"ingress":[{"ip":"198.51.100.7"}]}})").value());
  server_.put(std::move(foreign));
  server_.put(new_ingress("web"));
  start();
  ASSERT_TRUE(until([this] { return addresses("web") == "192.0.2.1 "; }));
  base::Json moved = new_ingress("web", "other");
  moved.set("status", server_.get("Ingress", "shop", "web")["status"]);
  server_.put(std::move(moved));
  EXPECT_TRUE(until([this] { return addresses("web").empty(); }));
  EXPECT_EQ(addresses("foreign"), "198.51.100.7 ");
}

TEST_F(ClusterStatusTest, AConflictIsTriedAgainWithTheNewerObject) {
  start();
  ASSERT_TRUE(until([this] { return status_->is_leader(); }));
  fakes::FakeFaults faults;
  faults.drop_events = true;  // what the controller knows of the object gets old
  ASSERT_TRUE(until([this] { return connected_; }));
  run_for(milliseconds(200));
  acknowledges_ = false;
  server_.put(new_ingress("web"));
  ASSERT_TRUE(until([this] { return dataplane_.has(wire::FrameType::kCommit); }));
  server_.set_faults(faults);
  base::Json touched = new_ingress("web");
  touched.find("metadata")->set("labels", base::Json::parse(R"({"a":"b"})").value());
  server_.put(std::move(touched));
  acknowledges_ = true;
  ASSERT_TRUE(until([this] { return server_.count_requests("/status") > 0; }));
  run_for(milliseconds(100));
  EXPECT_EQ(addresses("web"), "") << "the precondition must fail";
  server_.set_faults({});
  server_.compact();
  server_.close_watches();
  EXPECT_TRUE(until([this] { return addresses("web") == "192.0.2.1 "; }));
}

TEST_F(ClusterStatusTest, AReportBecomesOneEvent) {
  server_.put(new_ingress("web"));
  start();
  ASSERT_TRUE(until([this] { return !notes("web").empty(); }));
  run_for(milliseconds(300));
  ASSERT_EQ(notes("web").size(), 1U);
  EXPECT_THAT(notes("web").front(),
              HasSubstr("ServiceNotFound: spec.rules[0].http.paths[0].backend.service.name "
                        "'missing': "));
  // A change that leaves the report as it is tells nothing new.
  base::Json touched = new_ingress("web");
  touched.find("metadata")->set("labels", base::Json::parse(R"({"a":"b"})").value());
  server_.put(std::move(touched));
  run_for(milliseconds(300));
  EXPECT_EQ(notes("web").size(), 1U);
}

TEST_F(ClusterStatusTest, BothSidesOfAConflictAreToldOnceHoweverManyLose) {
  server_.put(publish::ingress_json("a", "one.test", "missing"));
  for (const char* name : {"b", "c", "d", "e", "f", "g", "h"})
    server_.put(publish::ingress_json(name, "one.test", "missing"));
  start();
  const auto told = [this](const std::string& name, const std::string& reason) {
    std::vector<std::string> out;
    for (const std::string& note : notes(name)) {
      if (note.starts_with(reason + ": ")) out.push_back(note);
    }
    return out;
  };
  ASSERT_TRUE(until(
      [&] { return !told("a", "PathContested").empty() && !told("h", "PathConflict").empty(); }));
  run_for(milliseconds(300));
  ASSERT_EQ(told("a", "PathContested").size(), 1U);
  EXPECT_THAT(told("a", "PathContested").front(),
              HasSubstr("is claimed on host one.test by shop/b, shop/c, shop/d, shop/e, shop/f "
                        "and 2 more, too"));
  ASSERT_EQ(told("h", "PathConflict").size(), 1U);
  EXPECT_THAT(told("h", "PathConflict").front(), HasSubstr("Ingress shop/a"));
  EXPECT_TRUE(told("a", "PathConflict").empty());
}

TEST_F(ClusterStatusTest, TheAddressesOfTheServiceAreFollowed) {
  server_.put(new_ingress("web"));
  start({"ingress/weir", {}});
  ASSERT_TRUE(until([this] { return status_->is_leader() && connected_; }));
  run_for(milliseconds(200));
  EXPECT_EQ(addresses("web"), "");
  server_.put(kBalancer);
  EXPECT_TRUE(until([this] { return !addresses("web").empty(); }));
  EXPECT_THAT(addresses("web"), HasSubstr("203.0.113.9"));
  EXPECT_THAT(addresses("web"), HasSubstr("lb.example.com"));
}

TEST_F(ClusterStatusTest, TheServiceMayBeInANamespaceThatIsNotServed) {
  watched_ = {"shop"};
  server_.put(new_ingress("web"));
  server_.put(kBalancer);
  start({"ingress/weir", {}});
  EXPECT_TRUE(until([this] { return !addresses("web").empty(); }));
  EXPECT_THAT(addresses("web"), HasSubstr("203.0.113.9"));
  EXPECT_EQ(server_.count_requests("/namespaces/ingress/ingresses"), 0U);
  EXPECT_GT(server_.count_requests("metadata.name%3Dweir"), 0U);
}

TEST_F(ClusterStatusTest, SettingsAreProgrammedAfterTheAckAndNotBefore) {
  acknowledges_ = false;
  serve_settings();
  put_settings(R"({"http2Streams":7})");
  start({"", {}});
  ASSERT_TRUE(until([this] { return dataplane_.has(wire::FrameType::kCommit); }));
  EXPECT_TRUE(until([this] { return condition("Programmed") == "False Pending"; }));
  EXPECT_EQ(condition("Accepted"), "True Accepted");
  acknowledges_ = true;
  EXPECT_TRUE(until([this] { return condition("Programmed") == "True Programmed"; }));
  run_for(milliseconds(1'300));
  EXPECT_EQ(server_.count_requests("/status"), 2U) << "what stands there is not written again";
  put_settings(R"({"http2Streams":8})");
  EXPECT_TRUE(until([this] { return condition("Programmed") == "True Programmed"; }));
  EXPECT_EQ(settings_now(), R"({"http2_streams":8})");
}

TEST_F(ClusterStatusTest, FieldsThatAreRefusedStandInTheConditionAndInAnEvent) {
  serve_settings();
  put_settings(R"({"http2Streams":0,"accessLog":false})");
  put_settings("{}", "other");
  start();
  EXPECT_TRUE(until([this] { return condition("Programmed") == "True Programmed"; }));
  EXPECT_EQ(condition("Accepted"), "False FieldsRefused");
  EXPECT_EQ(settings_now(), R"({"access_log":false})");
  EXPECT_TRUE(until([this] { return notes("main").size() == 1 && notes("other").size() == 1; }));
  EXPECT_THAT(notes("main").at(0), HasSubstr("InvalidSetting: spec.http2Streams '0'"));
  EXPECT_THAT(notes("other").at(0), HasSubstr("--settings names weir/main"));
  EXPECT_EQ(condition("Accepted", "other"), "") << "another Weir may own it";
}

TEST_F(ClusterStatusTest, SettingsMayBeInANamespaceThatIsNotServed) {
  watched_ = {"shop"};
  serve_settings();
  put_settings(R"({"http2Streams":7})");
  start();
  ASSERT_TRUE(until([this] { return controller_->pipeline().synced(); }));
  EXPECT_EQ(settings_now(), R"({"http2_streams":7})") << "the first state waits for them";
  EXPECT_TRUE(until([this] { return condition("Programmed") == "True Programmed"; }));
}

TEST_F(ClusterStatusTest, WithoutTheKindTheFlagsHoldAndNothingIsSaid) {
  server_.put(new_ingress("web"));
  start();
  ASSERT_TRUE(until([this] { return addresses("web") == "192.0.2.1 "; }));
  EXPECT_EQ(settings_now(), "{}");
  EXPECT_TRUE(controller_->pipeline().source_problems().empty());
  EXPECT_EQ(server_.count_requests("/weirsettings?"), 1U) << "asked for again much later";
}

}  // namespace
}  // namespace weir::status
