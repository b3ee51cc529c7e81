// gRPC's interoperability cases with Weir between its Go client and its Go server.

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <fstream>

#include "common/crypto/certificate.h"
#include "tests/push/stage.h"
#include "tests/scenario/harness/process.h"

namespace weir::grpc_interop {
namespace {

using model::make_resource;

constexpr const char* kServerName = "interop.test";
// Only this balancer of the client looks at the load reports in trailers.
constexpr const char* kReadsLoadReports =
    R"(--service_config_json={"loadBalancingConfig":[{"test_backend_metrics_load_balancer":{}}]})";

// Names of the cases of the client that need nothing but a server.
const std::vector<std::string> kCases = {"empty_unary",
                                         "large_unary",
                                         "client_streaming",
                                         "server_streaming",
                                         "ping_pong",
                                         "empty_stream",
                                         "timeout_on_sleeping_server",
                                         "cancel_after_begin",
                                         "cancel_after_first_response",
                                         "status_code_and_message",
                                         "special_status_message",
                                         "custom_metadata",
                                         "unimplemented_method",
                                         "unimplemented_service",
                                         "orca_per_rpc",
                                         "rpc_soak"};

std::string read_file(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool listens(std::uint16_t port) { return push::Client(push::Door{.port = port}).is_open(); }

class GrpcInterop : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("WEIR_GRPC_BIN");
    if (folder == nullptr) GTEST_SKIP() << "WEIR_GRPC_BIN names no folder: ./dev test builds it";
    programs_ = folder;
    work_ = stage_.dataplane.folder();
    if (tls()) write_certificate();
    start_server();
    push_resources();
  }
  static bool tls() { return GetParam(); }

  void write_certificate() {
    const crypto::PemPair pem = crypto::make_self_signed({kServerName}, std::time(nullptr), 30);
    std::ofstream(work_ + "/tls.crt") << pem.certificate;
    std::ofstream(work_ + "/tls.key") << pem.key;
    auto pair = crypto::parse_key_pair(pem.certificate, pem.key);
    ASSERT_TRUE(pair.ok());
    model::Certificate facts;
    facts.name = "interop";
    facts.names = pair.value().names;
    facts.not_after = pair.value().not_after;
    facts.fingerprint = pair.value().fingerprint;
    facts.key_type = pair.value().key_type;
    std::vector<std::string> blobs = pair.value().chain;
    blobs.push_back(pair.value().key);
    certificate_ = make_resource(facts, std::move(blobs));
  }

  void start_server() {
    server_port_ = push::free_port();
    std::vector<std::string> command = {programs_ + "/grpc-interop-server",
                                        "--port=" + std::to_string(server_port_)};
    if (tls()) {
      command.push_back("--use_tls");
      command.push_back("--tls_cert_file=" + work_ + "/tls.crt");
      command.push_back("--tls_key_file=" + work_ + "/tls.key");
    }
    server_ = scenario::Process(command, work_ + "/server.log");
    ASSERT_TRUE(push::eventually([this] { return listens(server_port_); }))
        << read_file(work_ + "/server.log");
  }

  void push_resources() {
    model::Cluster cluster = push::make_cluster("grpc");
    cluster.protocol = model::UpstreamProtocol::kHttp2;
    model::Route route = push::make_route("grpc", "/", "grpc");
    route.host = "*";
    std::vector<model::ResourcePtr> all = {
        make_resource(cluster), make_resource(push::make_endpoints("grpc", {server_port_})),
        make_resource(push::make_host("*")), make_resource(route)};
    if (tls()) {
      cluster.tls.enabled = true;
      model::Listener secure = push::make_listener("secure", push::free_port());
      secure.protocol = model::ListenerProtocol::kHttps;
      secure.default_certificates = {"interop"};
      door_ = secure.binds[0].port;
      all[0] = make_resource(cluster);
      all.insert(all.begin(), certificate_);
      all.push_back(make_resource(secure));
    } else {
      door_ = stage_.port;
    }
    stage_.must_push(all);
  }

  void run_case(const std::string& name) {
    const std::string log = work_ + "/" + name + ".log";
    std::vector<std::string> command = {programs_ + "/grpc-interop-client",
                                        "--server_host=127.0.0.1",
                                        "--server_port=" + std::to_string(door_),
                                        "--test_case=" + name,
                                        "--soak_iterations=200",
                                        "--soak_num_threads=4",
                                        "--soak_per_iteration_max_acceptable_latency_ms=60000",
                                        "--soak_overall_timeout_seconds=120"};
    if (name == "orca_per_rpc") command.push_back(kReadsLoadReports);
    if (tls()) {
      command.push_back("--use_tls");
      command.push_back("--use_test_ca");
      command.push_back("--ca_file=" + work_ + "/tls.crt");
      command.push_back(std::string("--server_host_override=") + kServerName);
    }
    scenario::Process client(command, log);
    const auto code = client.wait(scenario::Deadline(std::chrono::seconds(120)));
    EXPECT_EQ(code, 0) << name << ": " << read_file(log) << "\n" << stage_.dataplane.access_log();
  }

  push::Stage stage_;
  std::string programs_, work_;
  std::uint16_t server_port_ = 0, door_ = 0;
  model::ResourcePtr certificate_;
  scenario::Process server_;
};

TEST_P(GrpcInterop, EveryCasePasses) {
  for (const std::string& name : kCases) run_case(name);
}

INSTANTIATE_TEST_SUITE_P(Transport, GrpcInterop, testing::Bool(),
                         [](const auto& one) { return one.param ? "Tls" : "ClearText"; });

}  // namespace
}  // namespace weir::grpc_interop
