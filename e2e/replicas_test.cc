#include "e2e/harness/stage.h"

namespace weir::e2e {
namespace {

// Three replicas behind one headless Service, each at an address of its own. Who is ready the case
// says: there is no kubelet.
class Replicas : public OnReal {
 protected:
  static constexpr const char* kPort = "10266";

  void SetUp() override {
    put(base::Json::parse(R"({"apiVersion":"v1","kind":"Service",
        "metadata":{"name":"weir-peers","namespace":"weir"},
        "spec":{"clusterIP":"None","ports":[{"name":"peers","port":10266}]}})")
            .value());
    put(base::Json::parse(R"({"apiVersion":"v1","kind":"Secret","type":"Opaque",
        "metadata":{"name":"weir-peers","namespace":"weir"}})")
            .value());
  }

  static std::string address_of_replica(int number) {
    return "10.200.1." + std::to_string(100 + number);
  }
  void ready(const std::vector<int>& numbers) {
    std::string endpoints;
    for (const int number : numbers) {
      endpoints += (endpoints.empty() ? "" : ",") +
                   (R"({"addresses":[")" + address_of_replica(number) +
                    R"("],"conditions":{"ready":true,"serving":true,"terminating":false}})");
    }
    put(base::Json::parse(R"({"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice",
        "metadata":{"name":"weir-peers-1","namespace":"weir",
                    "labels":{"kubernetes.io/service-name":"weir-peers"}},
        "addressType":"IPv4","endpoints":[)" +
                          endpoints +
                          R"(],"ports":[{"name":"peers","port":10266,"protocol":"TCP"}]})")
            .value());
  }
  void start_replica(int number, std::vector<std::string> more = {}) {
    std::vector<std::string> flags = {"--peers-service", "weir/weir-peers",
                                      "--peers-address", address_of_replica(number),
                                      "--peers-port",    kPort};
    flags.insert(flags.end(), more.begin(), more.end());
    start(flags, number);
  }
  // The state that the leader sees that many others in.
  bool leader_sees(int leader, const std::string& state, int count) {
    const std::string line =
        "weir_controller_peers{state=\"" + state + "\"} " + std::to_string(count);
    return eventually(
        [&] { return weir(leader).admin("/metrics").find(line) != std::string::npos; });
  }
  bool leads(int number) {
    const std::string metrics = weir(number).admin("/metrics");
    const std::size_t at = metrics.find("\nnginx_ingress_controller_leader_election_status{");
    const std::size_t value = metrics.find("} ", at);
    return at != std::string::npos && metrics.compare(value, 4, "} 1\n") == 0;
  }
  bool has_address(const std::string& name) { return !address_of(name).empty(); }
  // It gets none while this lasts.
  bool stays_without_address(const std::string& name, Millis time) {
    return !eventually([&] { return has_address(name); }, time);
  }
  void put_web(const std::string& name) { put(simple_ingress(name, name + ".test", "a")); }
};

TEST_F(Replicas, AnAddressComesWithTheLastReplicasAckAndNotBefore) {
  ready({0, 1, 2});
  for (const int number : {0, 1, 2}) start_replica(number);
  ASSERT_TRUE(leader_sees(0, "in_step", 2)) << weir(0).admin("/readyz");
  put_web("first");
  EXPECT_TRUE(eventually([&] { return has_address("first"); }));
  // One dataplane stands still; the other two serve.
  weir(2).hold_dataplane();
  put_web("second");
  EXPECT_TRUE(answers({"second.test"}, "a", 200, 0));
  EXPECT_TRUE(answers({"second.test"}, "a", 200, 1));
  EXPECT_TRUE(stays_without_address("second", Millis(4'000)));
  EXPECT_NE(weir(0).admin("/readyz").find("peers: replica 10.200.1.102 is behind"),
            std::string::npos)
      << weir(0).admin("/readyz");
  EXPECT_TRUE(leader_sees(0, "behind", 1));
  EXPECT_TRUE(has_address("first")) << "what was there stays";
  weir(2).let_dataplane_go();
  EXPECT_TRUE(eventually([&] { return has_address("second"); }));
  EXPECT_TRUE(answers({"second.test"}, "a", 200, 2));
  EXPECT_TRUE(leader_sees(0, "in_step", 2));
}

TEST_F(Replicas, OneThatIsNotReadyAnyMoreIsNotWaitedFor) {
  ready({0, 1});
  start_replica(0);
  start_replica(1);
  ASSERT_TRUE(leader_sees(0, "in_step", 1));
  weir(1).hold_dataplane();
  put_web("web");
  EXPECT_TRUE(stays_without_address("web", Millis(3'000)));
  ready({0});
  EXPECT_TRUE(eventually([&] { return has_address("web"); }));
  weir(1).let_dataplane_go();
}

TEST_F(Replicas, OneThatTakesTooLongIsNamedInAnEvent) {
  ready({0, 1});
  start_replica(0, {"--peers-patience", "3s"});
  start_replica(1);
  ASSERT_TRUE(leader_sees(0, "in_step", 1));
  weir(1).kill_controller();  // the port answers nobody any more
  put_web("web");
  EXPECT_TRUE(stays_without_address("web", Millis(2'000)));
  EXPECT_TRUE(eventually([&] { return has_address("web"); }));
  EXPECT_TRUE(event_comes("web", "ReplicaNotProgrammed"));
  EXPECT_TRUE(leader_sees(0, "overdue", 1));
  EXPECT_NE(weir(0).admin("/readyz").find("peers: replica 10.200.1.101 does not answer"),
            std::string::npos);
}

TEST_F(Replicas, ANewLeaderGoesOnWhereTheOldOneWaited) {
  ready({0, 1, 2});
  for (const int number : {0, 1, 2}) start_replica(number);
  ASSERT_TRUE(leader_sees(0, "in_step", 2));
  weir(2).hold_dataplane();
  put_web("web");
  EXPECT_TRUE(stays_without_address("web", Millis(2'000)));
  weir(0).kill_controller();
  ready({1, 2});
  // The Lease runs out after 15 s; whoever leads then waits for the one that stands still.
  ASSERT_TRUE(eventually([&] { return leads(1) || leads(2); }, Millis(40'000)));
  EXPECT_TRUE(stays_without_address("web", Millis(4'000)));
  weir(2).let_dataplane_go();
  EXPECT_TRUE(eventually([&] { return has_address("web"); }));
}

}  // namespace
}  // namespace weir::e2e
