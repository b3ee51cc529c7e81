#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "controller/admin/controller.h"
#include "controller/kubernetes/api_source.h"
#include "controller/status/cluster_status.h"
#include "controller/status/lease_authority.h"
#include "tests/fakes/fake_api_server.h"
#include "tests/unit/controller/publish/world.h"

namespace weir::status {

inline constexpr kubernetes::LeaseTimings kQuickLease{
    std::chrono::milliseconds(600), std::chrono::milliseconds(60), std::chrono::milliseconds(300)};

// Of the class that the world has; without a version, as who creates it sends it.
inline base::Json new_ingress(const std::string& name, const std::string& class_name = "weir") {
  base::Json out = publish::ingress_json(name, name + ".test", "missing");
  out.find("metadata")->erase("resourceVersion");
  out.find("spec")->set("ingressClassName", class_name);
  return out;
}

// The whole controller on a fake API server, and a dataplane that acknowledges as long as
// acknowledges_ says so. Everything runs inside of until() and run_for().
class WholeController : public testing::Test {
 protected:
  void SetUp() override {
    base::log_start("test", base::LogLevel::kError);
    server_.put(R"({"apiVersion":"networking.k8s.io/v1","kind":"IngressClass",
                    "metadata":{"name":"weir"},"spec":{"controller":"weir.ingress/controller"}})");
  }

  // options: without ports and socket, which are set here.
  void start(admin::Options options, AddressSource addresses,
             kubernetes::LeaseTimings timings = kQuickLease) {
    options.admin_port = 0;
    options.control_socket = dataplane_.path();
    ingress::Config config = publish::test_config();
    config.settings_object = options.settings;
    kubernetes::ClusterAccess access;
    access.server = server_.url();
    client_ = std::make_unique<kubernetes::ApiClient>(loop_, access, "weir-test");
    auto status = std::make_unique<ClusterStatus>(
        loop_, *client_, std::move(addresses),
        make_lease_authority(*client_, {"weir", "leader", "me"}, timings));
    status_ = status.get();
    controller_ = std::make_unique<admin::Controller>(
        loop_, options, std::make_unique<kubernetes::ApiSource>(*client_, options.watch_namespaces),
        std::make_unique<ingress::IngressTranslator>(std::move(config)), std::move(status));
    const auto started = controller_->start();
    ASSERT_TRUE(started.ok()) << started.error().text;
  }

  bool until(const std::function<bool()>& test,
             std::chrono::milliseconds most = std::chrono::milliseconds(20'000)) {
    const auto end = std::chrono::steady_clock::now() + most;
    while (!test()) {
      if (std::chrono::steady_clock::now() > end) return false;
      loop_.run_once(std::chrono::milliseconds(2));
      serve_dataplane();
    }
    return true;
  }
  void run_for(std::chrono::milliseconds time) {
    until([] { return false; }, time);
  }

  // What stands in the Ingress's status, each with a space behind it.
  std::string addresses(const std::string& name) const {
    const base::Json object = server_.get("Ingress", "shop", name);
    std::string out;
    for (const base::Json& one : object.at_path("status", "loadBalancer", "ingress").items())
      out += one["ip"].as_string() + one["hostname"].as_string() + " ";
    return out;
  }
  // "Reason: note" of every Event about the object.
  std::vector<std::string> notes(const std::string& name) const {
    std::vector<std::string> out;
    for (const base::Json& event : server_.all("Event")) {
      if (event.at_path("regarding", "name").as_string() == name)
        out.push_back(event["reason"].as_string() + ": " + event["note"].as_string());
    }
    return out;
  }

  fakes::FakeApiServer server_;
  loop::Loop loop_;
  publish::ScriptedDataplane dataplane_;
  bool connected_ = false;
  bool acknowledges_ = true;
  std::unique_ptr<kubernetes::ApiClient> client_;
  ClusterStatus* status_ = nullptr;
  std::unique_ptr<admin::Controller> controller_;

 private:
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
};

}  // namespace weir::status
