// Active checks of kind grpc against gRPC's own health service.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "tests/push/stage.h"
#include "tests/scenario/harness/process.h"

namespace weir::grpc_interop {
namespace {

using model::make_resource;
using push::eventually;
using push::Millis;

constexpr const char* kChecked = "shop";

// A server whose own name is a service that it knows, so that an answer says who gave it.
class HealthServer {
 public:
  HealthServer(const std::string& programs, const std::string& work, const std::string& name)
      : process_({programs + "/grpc-health", "--port=" + std::to_string(port_),
                  "--control=" + std::to_string(control_), "--name=" + name},
                 work + "/" + name + ".log") {}

  std::uint16_t port() const { return port_; }
  bool is_up() const {
    return push::Client(push::Door{.port = port_}).is_open() &&
           push::Client(push::Door{.port = control_}).is_open();
  }
  void set(const std::string& status) const {
    const auto answer =
        push::get({.port = control_}, "/" + std::string(kChecked) + "/" + status, "control.test");
    ASSERT_EQ(answer.status, 200);
  }

 private:
  const std::uint16_t port_ = push::free_port();
  const std::uint16_t control_ = push::free_port();
  scenario::Process process_;
};

class GrpcHealth : public testing::Test {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("WEIR_GRPC_BIN");
    if (folder == nullptr) GTEST_SKIP() << "WEIR_GRPC_BIN names no folder: ./dev test builds it";
    programs_ = folder;
    one_ = std::make_unique<HealthServer>(programs_, stage_.dataplane.folder(), "one");
    two_ = std::make_unique<HealthServer>(programs_, stage_.dataplane.folder(), "two");
    ASSERT_TRUE(eventually([this] { return one_->is_up() && two_->is_up(); }));
  }

  void check_every(Millis interval, const std::string& service) {
    model::Cluster cluster = push::make_cluster("grpc");
    cluster.protocol = model::UpstreamProtocol::kHttp2;
    cluster.health.kind = model::CheckKind::kGrpc;
    cluster.health.service = service;
    cluster.health.interval = interval;
    cluster.health.timeout = Millis(5'000);
    model::Route route = push::make_route("grpc", "/", "grpc");
    route.host = "*";
    stage_.must_push({make_resource(cluster),
                      make_resource(push::make_endpoints("grpc", {one_->port(), two_->port()})),
                      make_resource(push::make_host("*")), make_resource(route)});
  }
  // A figure of zero is not shown.
  bool are_out(int count) const {
    const std::string line = "weir_upstream_endpoints_out{cluster=\"grpc\",why=\"check\"} ";
    const auto answer = push::get({.port = stage_.dataplane.admin_port()}, "/metrics", "admin");
    if (count == 0) return answer.status == 200 && answer.body.find(line) == std::string::npos;
    return answer.body.find(line + std::to_string(count) + "\n") != std::string::npos;
  }
  int good_checks() const {
    const std::string line = "weir_upstream_checks_total{cluster=\"grpc\",result=\"good\"} ";
    const auto answer = push::get({.port = stage_.dataplane.admin_port()}, "/metrics", "admin");
    const std::size_t at = answer.body.find(line);
    return at == std::string::npos ? 0 : std::stoi(answer.body.substr(at + line.size()));
  }
  // What gRPC's client is told of this service through the proxy.
  std::string asked(const std::string& service) {
    const std::string log = stage_.dataplane.folder() + "/ask" + std::to_string(asks_++) + ".log";
    scenario::Process client(
        {programs_ + "/grpc-health", "--ask=127.0.0.1:" + std::to_string(stage_.port),
         "--service=" + service},
        log);
    EXPECT_EQ(client.wait(scenario::Deadline(std::chrono::seconds(30))), 0);
    std::ifstream in(log);
    std::string line;
    std::getline(in, line);
    return line;
  }

  push::Stage stage_;
  std::string programs_;
  std::unique_ptr<HealthServer> one_, two_;
  int asks_ = 0;
};

TEST_F(GrpcHealth, WhoDoesNotServeGetsNothingUntilItServesAgain) {
  one_->set("SERVING");
  two_->set("SERVING");
  check_every(Millis(50), kChecked);
  EXPECT_TRUE(eventually([this] { return good_checks() >= 6; })) << "both are well";
  EXPECT_TRUE(are_out(0));
  one_->set("NOT_SERVING");
  EXPECT_TRUE(eventually([this] { return are_out(1); }));
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(asked("two"), "SERVING");
    EXPECT_EQ(asked("one"), "NotFound") << "asked the one that is out";
  }
  one_->set("SERVING");
  EXPECT_TRUE(eventually([this] { return are_out(0); }));
  EXPECT_TRUE(eventually([this] { return asked("one") == "SERVING"; }));
}

TEST_F(GrpcHealth, AServiceThatTheServerDoesNotKnowIsNotWell) {
  one_->set("SERVING");
  two_->set("UNKNOWN");
  check_every(Millis(50), kChecked);
  EXPECT_TRUE(eventually([this] { return are_out(1); })) << "UNKNOWN is not SERVING";
  check_every(Millis(50), "nobody-knows-it");
  EXPECT_TRUE(eventually([this] { return are_out(2); })) << "NOT_FOUND in the trailers";
  check_every(Millis(50), "");
  EXPECT_TRUE(eventually([this] { return are_out(0); })) << "the servers as a whole serve";
}

}  // namespace
}  // namespace weir::grpc_interop
