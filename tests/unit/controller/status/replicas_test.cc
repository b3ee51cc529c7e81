#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "common/base/text.h"
#include "controller/peers/ack_line.h"
#include "controller/peers/authority_ring.h"
#include "tests/unit/controller/status/whole_controller.h"

namespace weir::status {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

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

// The whole controller beside another replica that says what the test lets it say.
class ReplicasTest : public WholeController {
 protected:
  void SetUp() override {
    WholeController::SetUp();
    ::signal(SIGPIPE, SIG_IGN);
    const std::string authorities = peers::to_text(
        peers::make_authority_ring(std::chrono::duration_cast<std::chrono::seconds>(
                                       base::system_clock().wall_now().time_since_epoch())
                                       .count()));
    other_ = std::make_unique<OtherReplica>(loop_, authorities);
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

  void start(const std::string& patience = "30s") {
    admin::Options options;
    options.peers = {"weir/weir-peers", "127.0.0.1", free_port(), patience};
    WholeController::start(std::move(options), {"", {"192.0.2.1"}});
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

  bool has_address(const std::string& name) const { return addresses(name) == "192.0.2.1 "; }
  std::string version(const std::string& name) const {
    return server_.get("Ingress", "shop", name).at_path("metadata", "resourceVersion").as_string();
  }

  std::unique_ptr<OtherReplica> other_;
};

TEST_F(ReplicasTest, AddressesWaitForTheAckOfTheOtherReadyReplica) {
  put_slice(true);
  server_.put(new_ingress("web"));
  start();
  run_for(milliseconds(1'500));
  EXPECT_EQ(addresses("web"), "");
  other_->acknowledge(version("web"));
  EXPECT_TRUE(until([this] { return has_address("web"); }));
  EXPECT_THAT(notes("web"), Not(Contains(HasSubstr("ReplicaNotProgrammed"))));
  server_.put(new_ingress("next"));
  run_for(milliseconds(1'500));
  EXPECT_EQ(addresses("next"), "") << "what it acknowledged before does not count for a newer one";
  other_->acknowledge(version("next"));
  EXPECT_TRUE(until([this] { return has_address("next"); }));
}

TEST_F(ReplicasTest, OneThatIsNotReadyIsNotWaitedForNorOneThatGoes) {
  put_slice(true, false);
  server_.put(new_ingress("web"));
  start();
  EXPECT_TRUE(until([this] { return has_address("web"); }));
  put_slice(true);
  run_for(milliseconds(200));
  server_.put(new_ingress("next"));
  run_for(milliseconds(1'500));
  EXPECT_EQ(addresses("next"), "");
  EXPECT_TRUE(has_address("web")) << "what was there is not taken away";
  put_slice(false);
  EXPECT_TRUE(until([this] { return has_address("next"); }));
}

TEST_F(ReplicasTest, OneThatTakesTooLongIsNamedInAnEvent) {
  put_slice(true);
  server_.put(new_ingress("web"));
  start("2s");
  run_for(milliseconds(1'000));
  EXPECT_EQ(addresses("web"), "");
  EXPECT_TRUE(until([this] { return has_address("web"); }));
  const auto named =
      Contains(AllOf(HasSubstr("ReplicaNotProgrammed"), HasSubstr("replica 127.0.0.2 is ready")));
  EXPECT_TRUE(until([&] { return testing::Matches(named)(notes("web")); }));
}

TEST_F(ReplicasTest, AloneNothingIsWaitedFor) {
  put_slice(false);
  server_.put(new_ingress("web"));
  start();
  EXPECT_TRUE(until([this] { return has_address("web"); }, milliseconds(3'000)));
}

}  // namespace
}  // namespace weir::status
