#include "controller/status/cluster_status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/admin/controller.h"
#include "controller/kubernetes/api_source.h"
#include "controller/status/lease_authority.h"
#include "tests/fakes/fake_api_server.h"
#include "tests/unit/controller/publish/world.h"

namespace weir::status {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

constexpr const char* kBalancer =
    R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"weir","namespace":"ingress"},
        "spec":{"type":"LoadBalancer","clusterIP":"10.0.0.1","ports":[{"port":80}]},
        "status":{"loadBalancer":{"ingress":[{"hostname":"lb.example.com"},
                                             {"ip":"203.0.113.9"}]}}})";

constexpr kubernetes::LeaseTimings kFast{milliseconds(600), milliseconds(60), milliseconds(300)};

kubernetes::ClusterAccess access_to(const fakes::FakeApiServer& server) {
  kubernetes::ClusterAccess out;
  out.server = server.url();
  return out;
}

base::Json ingress(const std::string& name, const std::string& class_name = "weir") {
  base::Json out = publish::ingress_json(name, name + ".test", "missing");
  out.find("metadata")->erase("resourceVersion");
  out.find("spec")->set("ingressClassName", class_name);
  return out;
}

// The whole controller on a fake API server, and a dataplane that acknowledges when it is told to.
class ClusterStatusTest : public testing::Test {
 protected:
  void SetUp() override {
    base::log_start("test", base::LogLevel::kError);
    server_.put(R"({"apiVersion":"networking.k8s.io/v1","kind":"IngressClass",
                    "metadata":{"name":"weir"},"spec":{"controller":"weir.ingress/controller"}})");
  }

  void start(AddressSource addresses = {"", {"192.0.2.1"}},
             kubernetes::LeaseTimings timings = kFast) {
    admin::Options options;
    options.admin_port = 0;
    options.control_socket = dataplane_.path();
    options.publish_service = addresses.publish_service;
    options.watch_namespaces = watched_;
    options.settings = "weir/main";
    ingress::Config config = publish::test_config();
    config.settings_object = options.settings;
    client_ = std::make_unique<kubernetes::ApiClient>(loop_, access_to(server_), "weir-test");
    auto status = std::make_unique<ClusterStatus>(
        loop_, *client_, std::move(addresses),
        make_lease_authority(*client_, {"weir", "leader", "me"}, timings));
    status_ = status.get();
    controller_ = std::make_unique<admin::Controller>(
        loop_, options, std::make_unique<kubernetes::ApiSource>(*client_, watched_),
        std::make_unique<ingress::IngressTranslator>(std::move(config)), std::move(status));
    ASSERT_TRUE(controller_->start().ok());
  }

  void serve_dataplane() {
    if (!connected_ && dataplane_.accept()) {
      connected_ = true;
      dataplane_.hello({});
    }
    if (!connected_ || !dataplane_.receive() || !acknowledges_) return;
    if (!dataplane_.has(wire::FrameType::kCommit)) return;
    const std::uint64_t version = dataplane_.version();
    dataplane_.frames.clear();
    dataplane_.ack(version);
  }

  bool until(const std::function<bool()>& test, milliseconds most = milliseconds(10'000)) {
    const auto end = std::chrono::steady_clock::now() + most;
    while (!test()) {
      if (std::chrono::steady_clock::now() > end) return false;
      loop_.run_once(milliseconds(2));
      serve_dataplane();
    }
    return true;
  }
  void run_for(milliseconds time) {
    until([] { return false; }, time);
  }

  std::string addresses(const std::string& name) const {
    const base::Json object = server_.get("Ingress", "shop", name);
    std::string out;
    for (const base::Json& one : object.at_path("status", "loadBalancer", "ingress").items())
      out += one["ip"].as_string() + one["hostname"].as_string() + " ";
    return out;
  }
  std::vector<std::string> notes(const std::string& name) const {
    std::vector<std::string> out;
    for (const base::Json& event : server_.all("Event")) {
      if (event.at_path("regarding", "name").as_string() == name)
        out.push_back(event["reason"].as_string() + ": " + event["note"].as_string());
    }
    return out;
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

  fakes::FakeApiServer server_;
  loop::Loop loop_;
  publish::ScriptedDataplane dataplane_;
  bool connected_ = false;
  bool acknowledges_ = true;
  std::vector<std::string> watched_;  // empty: all
  std::unique_ptr<kubernetes::ApiClient> client_;
  ClusterStatus* status_ = nullptr;
  std::unique_ptr<admin::Controller> controller_;
};

TEST_F(ClusterStatusTest, AddressesAreWrittenAfterTheAckAndNotBefore) {
  acknowledges_ = false;
  server_.put(ingress("web"));
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
  server_.put(ingress("web"));
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
  server_.put(ingress("web"));
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
  base::Json foreign = ingress("foreign", "other");
  foreign.set("status",
              base::Json::parse(R"({"loadBalancer":{"ingress":[{"ip":"198.51.100.7"}]}})").value());
  server_.put(std::move(foreign));
  server_.put(ingress("web"));
  start();
  ASSERT_TRUE(until([this] { return addresses("web") == "192.0.2.1 "; }));
  base::Json moved = ingress("web", "other");
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
  server_.put(ingress("web"));
  ASSERT_TRUE(until([this] { return dataplane_.has(wire::FrameType::kCommit); }));
  server_.set_faults(faults);
  base::Json touched = ingress("web");
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
  server_.put(ingress("web"));
  start();
  ASSERT_TRUE(until([this] { return !notes("web").empty(); }));
  run_for(milliseconds(300));
  ASSERT_EQ(notes("web").size(), 1U);
  EXPECT_THAT(notes("web").front(),
              HasSubstr("ServiceNotFound: spec.rules[0].http.paths[0].backend.service.name "
                        "'missing': "));
  // A change that leaves the report as it is tells nothing new.
  base::Json touched = ingress("web");
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
  server_.put(ingress("web"));
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
  server_.put(ingress("web"));
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
  server_.put(ingress("web"));
  start();
  ASSERT_TRUE(until([this] { return addresses("web") == "192.0.2.1 "; }));
  EXPECT_EQ(settings_now(), "{}");
  EXPECT_TRUE(controller_->pipeline().source_problems().empty());
  EXPECT_EQ(server_.count_requests("/weirsettings?"), 1U) << "asked for again much later";
}

}  // namespace
}  // namespace weir::status
