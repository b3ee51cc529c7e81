#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "common/base/text.h"
#include "controller/admin/controller.h"
#include "controller/kubernetes/api_source.h"
#include "controller/peers/ack_line.h"
#include "controller/peers/authority_ring.h"
#include "controller/status/cluster_status.h"
#include "controller/status/lease_authority.h"
#include "tests/fakes/fake_api_server.h"
#include "tests/unit/controller/publish/world.h"

namespace weir::status {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

constexpr kubernetes::LeaseTimings kQuickLease{milliseconds(600), milliseconds(60),
                                               milliseconds(300)};

// The peers port of another replica, on its own loopback address.
class OtherReplica {
 public:
  OtherReplica(loop::Loop& loop, const std::string& authorities)
      : server_(loop), identity_(loop.clock()) {
    EXPECT_TRUE(identity_.look(authorities));
    server_.set_context(identity_.context());
    server_.set_line(peers::to_line({}));
    EXPECT_TRUE(server_.listen(base::SocketAddress::parse("127.0.0.2", 0).value()).ok());
  }
  void acknowledge(const std::string& ingresses) {
    server_.set_line(peers::to_line({{"Ingress", ingresses},
                                     {"IngressClass", ingresses},
                                     {"Service", ingresses},
                                     {"EndpointSlice", ingresses}}));
  }
  std::uint16_t port() const { return server_.port(); }

 private:
  peers::AckServer server_;
  peers::Identity identity_;
};

// The whole controller on a fake API server, with a dataplane that acknowledges everything, beside
// another replica that says what the test lets it say.
class ReplicasTest : public testing::Test {
 protected:
  void SetUp() override {
    ::signal(SIGPIPE, SIG_IGN);
    base::log_start("test", base::LogLevel::kError);
    const std::string authorities = peers::to_text(
        peers::make_authority_ring(std::chrono::duration_cast<std::chrono::seconds>(
                                       base::system_clock().wall_now().time_since_epoch())
                                       .count()));
    other_ = std::make_unique<OtherReplica>(loop_, authorities);
    server_.put(R"({"apiVersion":"networking.k8s.io/v1","kind":"IngressClass",
                    "metadata":{"name":"weir"},"spec":{"controller":"weir.ingress/controller"}})");
    server_.put(R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"weir-peers",
                    "namespace":"weir"},"data":{"authorities.json":")" +
                base::base64_encode(authorities) + R"("}})");
  }

  void put_slice(bool with_other, bool ready = true) {
    std::string endpoints = R"({"addresses":["127.0.0.1"]})";
    if (with_other) {
      endpoints += R"(,{"addresses":["127.0.0.2"],"conditions":{"ready":)" +
                   std::string(ready ? "true" : "false") + "}}";
    }
    server_.put(R"({"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice",
        "metadata":{"name":"weir-peers-1","namespace":"weir",
                    "labels":{"kubernetes.io/service-name":"weir-peers"}},
        "addressType":"IPv4","endpoints":[)" +
                endpoints + R"(],"ports":[{"name":"peers","port":)" +
                std::to_string(other_->port()) + "}]}");
  }

  void put_ingress(const std::string& name) {
    base::Json out = publish::ingress_json(name, name + ".test", "missing");
    out.find("metadata")->erase("resourceVersion");
    server_.put(std::move(out));
  }

  void start(const std::string& patience = "30s") {
    admin::Options options;
    options.admin_port = 0;
    options.control_socket = dataplane_.path();
    options.peers = {"weir/weir-peers", "127.0.0.1", free_port(), patience};
    kubernetes::ClusterAccess access;
    access.server = server_.url();
    client_ = std::make_unique<kubernetes::ApiClient>(loop_, access, "weir-test");
    auto status = std::make_unique<ClusterStatus>(
        loop_, *client_, AddressSource{"", {"192.0.2.1"}},
        make_lease_authority(*client_, {"weir", "leader", "me"}, kQuickLease));
    status_ = status.get();
    controller_ = std::make_unique<admin::Controller>(
        loop_, options,
        std::make_unique<kubernetes::ApiSource>(*client_, std::vector<std::string>{}),
        std::make_unique<ingress::IngressTranslator>(publish::test_config()), std::move(status));
    const auto started = controller_->start();
    ASSERT_TRUE(started.ok()) << started.error().text;
    ASSERT_TRUE(until([this] { return status_->is_leader() && connected_; }));
  }

  static std::uint16_t free_port() {
    const base::UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto any = base::SocketAddress::parse("127.0.0.1", 0).value();
    EXPECT_EQ(::bind(fd.get(), any.data(), any.size()), 0);
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&bound), &size);
    return base::SocketAddress(reinterpret_cast<const sockaddr*>(&bound)).port();
  }

  void serve_dataplane() {
    if (!connected_ && dataplane_.accept()) {
      connected_ = true;
      dataplane_.hello({});
    }
    if (!connected_ || !dataplane_.receive() || !dataplane_.has(wire::FrameType::kCommit)) return;
    const std::uint64_t version = dataplane_.version();
    dataplane_.frames.clear();
    dataplane_.ack(version);
  }

  bool until(const std::function<bool()>& test, milliseconds most = milliseconds(20'000)) {
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

  std::string address(const std::string& name) const {
    const base::Json object = server_.get("Ingress", "shop", name);
    const auto& all = object.at_path("status", "loadBalancer", "ingress").items();
    return all.empty() ? "" : all.front()["ip"].as_string();
  }
  bool has_address(const std::string& name) const { return address(name) == "192.0.2.1"; }
  std::string version(const std::string& name) const {
    return server_.get("Ingress", "shop", name).at_path("metadata", "resourceVersion").as_string();
  }
  std::string note(const std::string& name, const std::string& reason) const {
    for (const base::Json& event : server_.all("Event")) {
      if (event.at_path("regarding", "name").as_string() == name &&
          event["reason"].as_string() == reason)
        return event["note"].as_string();
    }
    return "";
  }

  fakes::FakeApiServer server_;
  loop::Loop loop_;
  std::unique_ptr<OtherReplica> other_;
  publish::ScriptedDataplane dataplane_;
  bool connected_ = false;
  std::unique_ptr<kubernetes::ApiClient> client_;
  ClusterStatus* status_ = nullptr;
  std::unique_ptr<admin::Controller> controller_;
};

TEST_F(ReplicasTest, AddressesWaitForTheAckOfTheOtherReadyReplica) {
  put_slice(true);
  put_ingress("web");
  start();
  run_for(milliseconds(1'500));
  EXPECT_EQ(address("web"), "");
  other_->acknowledge(version("web"));
  EXPECT_TRUE(until([this] { return has_address("web"); }));
  EXPECT_EQ(note("web", "ReplicaNotProgrammed"), "");
  put_ingress("next");
  run_for(milliseconds(1'500));
  EXPECT_EQ(address("next"), "") << "what it acknowledged before does not count for a newer one";
  other_->acknowledge(version("next"));
  EXPECT_TRUE(until([this] { return has_address("next"); }));
}

TEST_F(ReplicasTest, OneThatIsNotReadyIsNotWaitedForNorOneThatGoes) {
  put_slice(true, false);
  put_ingress("web");
  start();
  EXPECT_TRUE(until([this] { return has_address("web"); }));
  put_slice(true);
  run_for(milliseconds(200));
  put_ingress("next");
  run_for(milliseconds(1'500));
  EXPECT_EQ(address("next"), "");
  EXPECT_TRUE(has_address("web")) << "what was there is not taken away";
  put_slice(false);
  EXPECT_TRUE(until([this] { return has_address("next"); }));
}

TEST_F(ReplicasTest, OneThatTakesTooLongIsNamedInAnEvent) {
  put_slice(true);
  put_ingress("web");
  start("2s");
  run_for(milliseconds(1'000));
  EXPECT_EQ(address("web"), "");
  EXPECT_TRUE(until([this] { return has_address("web"); }));
  ASSERT_TRUE(until([this] { return !note("web", "ReplicaNotProgrammed").empty(); }));
  EXPECT_THAT(note("web", "ReplicaNotProgrammed"), HasSubstr("replica 127.0.0.2 is ready"));
}

TEST_F(ReplicasTest, AloneNothingIsWaitedFor) {
  put_slice(false);
  put_ingress("web");
  start();
  EXPECT_TRUE(until([this] { return has_address("web"); }, milliseconds(3'000)));
}

}  // namespace
}  // namespace weir::status
