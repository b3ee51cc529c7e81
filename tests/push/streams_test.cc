// What is passed on below HTTP: TCP and UDP listeners, TLS of hosts that end it themselves.

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>

#include "dataplane/transport/proxy_protocol.h"
#include "tests/push/stage.h"
#include "tests/push/stream_backend.h"

namespace weir::push {
namespace {

using model::make_resource;

constexpr std::size_t kMega = 1024 * 1024;

model::WeightedBackend to(const std::string& cluster, std::uint32_t weight = 1) {
  model::WeightedBackend out;
  out.cluster = cluster;
  out.weight = weight;
  return out;
}

model::Listener tcp_listener(const std::string& name, const std::string& cluster) {
  model::Listener out = make_listener(name, free_port());
  out.protocol = model::ListenerProtocol::kTcp;
  out.route_table.clear();
  out.stream.backends = {to(cluster)};
  return out;
}

model::Listener udp_listener(const std::string& name, const std::string& cluster) {
  model::Listener out = tcp_listener(name, cluster);
  out.protocol = model::ListenerProtocol::kUdp;
  out.binds[0].udp = true;
  return out;
}

void push_cluster(Stage& stage, const std::string& name, const std::vector<std::uint16_t>& ports) {
  stage.must_push({make_resource(make_endpoints(name, ports)), make_resource(make_cluster(name))});
}

std::string greeting(std::uint16_t port) { return RawClient(port, false).read(2); }

// "VmHWM" of the process that serves, in bytes.
std::size_t peak_memory(const Dataplane& dataplane) {
  std::ifstream file("/proc/" + std::to_string(dataplane.worker()) + "/status");
  for (std::string word; file >> word;) {
    if (word != "VmHWM:") continue;
    std::size_t kib = 0;
    file >> kib;
    return kib * 1024;
  }
  return 0;
}

TEST(PushStreams, BytesGoBothWaysAndAnEndOfOneDirectionLeavesTheOtherOpen) {
  Stage stage;
  StreamBackend a("a");
  push_cluster(stage, "tcp", {a.port()});
  const model::Listener listener = tcp_listener("tcp-1", "tcp");
  stage.must_push({make_resource(listener)});
  RawClient client(listener.binds[0].port, false);
  EXPECT_EQ(client.read(2), "a\n") << "the backend speaks first";
  ASSERT_TRUE(client.send("hello"));
  EXPECT_EQ(client.read(5), "hello");
  ASSERT_TRUE(client.send("last"));
  client.finish_sending();
  EXPECT_EQ(client.read(8), "lastBYE\n");
  EXPECT_TRUE(client.ends());
  const auto logged = [&] {
    return stage.dataplane.access_log().find("\"listener\":\"tcp-1\"") != std::string::npos;
  };
  ASSERT_TRUE(eventually(logged));
  const std::string log = stage.dataplane.access_log();
  for (const char* part :
       {"\"protocol\":\"TCP\"", "\"status\":200", "\"request_length\":9", "\"bytes_sent\":15",
        "\"client\":\"127.0.0.1\"", "\"cluster\":\"tcp\""}) {
    EXPECT_NE(log.find(part), std::string::npos) << part << " in " << log;
  }
  const Answer metrics = get({.port = stage.dataplane.admin_port()}, "/metrics", "a.test");
  for (const char* part : {"weir_stream_connections_total{listener=\"tcp-1\"} 1",
                           "weir_stream_active{listener=\"tcp-1\"} 0",
                           "weir_stream_received_bytes_total{listener=\"tcp-1\"} 9",
                           "weir_stream_sent_bytes_total{listener=\"tcp-1\"} 15"}) {
    EXPECT_NE(metrics.body.find(part), std::string::npos) << part;
  }
}

TEST(PushStreams, AHundredMegabytesPassASlowReaderInBoundedMemory) {
  Stage stage;
  StreamBackend a("a");
  push_cluster(stage, "tcp", {a.port()});
  const model::Listener listener = tcp_listener("tcp-1", "tcp");
  stage.must_push({make_resource(listener)});
  RawClient client(listener.binds[0].port, false, 16 * 1024);
  EXPECT_EQ(client.read(2), "a\n");
  const std::size_t before = peak_memory(stage.dataplane);
  std::string piece(kMega, '\0');
  for (std::size_t i = 0; i < piece.size(); ++i) piece[i] = static_cast<char>(i * 7 % 251);
  const std::size_t all = 100 * kMega;
  std::size_t sent = 0;
  std::size_t got = 0;
  bool same = true;
  const Clock::time_point until = Clock::now() + 5 * kPatience;
  while (got < all && Clock::now() < until) {
    if (sent < all) sent += client.send_some(std::string_view(piece).substr(sent % kMega));
    // The reader takes little, and only every now and then.
    const std::string some = client.receive(Millis(sent < all ? 0 : 1'000));
    for (std::size_t i = 0; i < some.size(); i += 4'099) {
      same = same && some[i] == piece[(got + i) % kMega];
    }
    got += some.size();
  }
  EXPECT_EQ(got, all);
  EXPECT_TRUE(same);
  if (kResidentTells) {
    EXPECT_LT(peak_memory(stage.dataplane) - before, 24 * kMega);
  }
  client.finish_sending();
  EXPECT_EQ(client.read(4), "BYE\n");
}

TEST(PushStreams, WeightsSplitClustersAndTheNextEndpointIsTriedWhenOneIsGone) {
  Stage stage;
  StreamBackend a("a"), b("b");
  push_cluster(stage, "ca", {a.port(), free_port()});
  push_cluster(stage, "cb", {b.port()});
  model::Listener listener = tcp_listener("tcp-1", "ca");
  listener.stream.backends = {to("ca", 3), to("cb", 1)};
  stage.must_push({make_resource(listener)});
  std::map<std::string, int> counts;
  for (int i = 0; i < 40; ++i) ++counts[greeting(listener.binds[0].port)];
  EXPECT_EQ(counts["a\n"], 30) << "half of its turns meet a dead endpoint first";
  EXPECT_EQ(counts["b\n"], 10);

  b.kill();
  ASSERT_TRUE(eventually([&] { return b.gone(); }));
  counts.clear();
  for (int i = 0; i < 8; ++i) ++counts[greeting(listener.binds[0].port)];
  EXPECT_EQ(counts["a\n"], 6);
  EXPECT_EQ(counts[""], 2) << "a cluster without a living endpoint turns its share away";

  listener.stream.backends[1].invalid = true;
  listener.stream.backends[0].weight = 0;
  stage.must_push({make_resource(listener)});
  EXPECT_EQ(greeting(listener.binds[0].port), "");
}

TEST(PushStreams, ABackendThatIsKilledEndsItsClientsAndOnlyThese) {
  Stage stage;
  StreamBackend a("a"), b("b");
  push_cluster(stage, "ca", {a.port()});
  push_cluster(stage, "cb", {b.port()});
  const model::Listener one = tcp_listener("tcp-1", "ca");
  const model::Listener two = tcp_listener("tcp-2", "cb");
  stage.must_push({make_resource(one), make_resource(two)});
  RawClient first(one.binds[0].port, false), second(two.binds[0].port, false);
  EXPECT_EQ(first.read(2), "a\n");
  EXPECT_EQ(second.read(2), "b\n");
  a.kill();
  EXPECT_TRUE(first.ends());
  ASSERT_TRUE(second.send("x"));
  EXPECT_EQ(second.read(1), "x");
}

TEST(PushStreams, ARemovedListenerTakesNobodyNewAndItsStreamsLiveToTheDrainBound) {
  Stage stage({.drain_timeout = "2s"});
  StreamBackend a("a");
  push_cluster(stage, "tcp", {a.port()});
  const model::Listener listener = tcp_listener("tcp-1", "tcp");
  stage.must_push({make_resource(listener)});
  RawClient client(listener.binds[0].port, false);
  EXPECT_EQ(client.read(2), "a\n");
  stage.must_push({}, {{ResourceType::kListener, "tcp-1"}});
  EXPECT_FALSE(RawClient(listener.binds[0].port, false).is_open());
  ASSERT_TRUE(client.send("still"));
  EXPECT_EQ(client.read(5), "still");
  EXPECT_TRUE(client.ends()) << "at the bound";
}

TEST(PushStreams, AStreamSurvivesEveryOtherChangeAndTheDrainWaitsForIt) {
  Stage stage({.drain_timeout = "30s"});
  StreamBackend a("a"), b("b");
  push_cluster(stage, "tcp", {a.port()});
  const model::Listener listener = tcp_listener("tcp-1", "tcp");
  stage.must_push({make_resource(listener)});
  RawClient client(listener.binds[0].port, false);
  EXPECT_EQ(client.read(2), "a\n");
  push_cluster(stage, "tcp", {b.port()});
  EXPECT_EQ(greeting(listener.binds[0].port), "b\n");
  ASSERT_TRUE(client.send("on"));
  EXPECT_EQ(client.read(2), "on");
  client.finish_sending();
  EXPECT_EQ(client.read(4), "BYE\n");
  EXPECT_EQ(stage.dataplane.stop(), 0);
}

TEST(PushStreams, ASilentStreamEndsAtItsIdleTimeout) {
  Stage stage;
  StreamBackend a("a");
  push_cluster(stage, "tcp", {a.port()});
  model::Listener listener = tcp_listener("tcp-1", "tcp");
  listener.stream.idle_timeout = Millis(300);
  stage.must_push({make_resource(listener)});
  RawClient client(listener.binds[0].port, false);
  EXPECT_EQ(client.read(2), "a\n");
  EXPECT_TRUE(client.ends());
  EXPECT_TRUE(eventually(
      [&] { return stage.dataplane.access_log().find("idle for too long") != std::string::npos; }));
}

TEST(PushStreams, TheBackendIsToldWhoTheClientIs) {
  Stage stage;
  StreamBackend a("a");
  push_cluster(stage, "tcp", {a.port()});
  model::Listener listener = tcp_listener("tcp-1", "tcp");
  for (const auto version : {model::ProxyHeader::kV1, model::ProxyHeader::kV2}) {
    listener.stream.send_proxy = version;
    stage.must_push({make_resource(listener)});
    RawClient client(listener.binds[0].port, false);
    ASSERT_TRUE(client.send("x"));
    client.finish_sending();
    const std::string echoed = client.read(kMega).substr(2);
    transport::ProxyAddresses told;
    const transport::ProxyRead read = transport::read_proxy_header(echoed, told);
    ASSERT_EQ(read.outcome, transport::ProxyRead::Outcome::kDone) << echoed;
    EXPECT_EQ(told.source.to_string(), "127.0.0.1:" + std::to_string(client.local_port()));
    EXPECT_EQ(told.destination.to_string(), "127.0.0.1:" + std::to_string(listener.binds[0].port));
    EXPECT_EQ(echoed.substr(read.size), "xBYE\n");
  }
}

TEST(PushStreams, TheAddressOfATrustedRelayIsReplacedByTheClientsEverywhere) {
  Stage stage;
  StreamBackend a("a");
  push_cluster(stage, "tcp", {a.port()});
  model::Listener listener = tcp_listener("tcp-1", "tcp");
  listener.proxy_protocol = true;
  listener.stream.send_proxy = model::ProxyHeader::kV1;
  model::Settings settings;
  settings.client_address.proxy_protocol_sources = {"127.0.0.0/8"};
  stage.listener.proxy_protocol = true;
  stage.must_push(
      {make_resource(settings), make_resource(listener), make_resource(stage.listener)});
  const std::string header = "PROXY TCP4 203.0.113.9 198.51.100.1 4711 443\r\n";
  RawClient client(listener.binds[0].port, false);
  ASSERT_TRUE(client.send(header + "x"));
  client.finish_sending();
  EXPECT_EQ(client.read(kMega), "a\n" + header + "xBYE\n");

  Client http(stage.door());
  http.send(header);
  EXPECT_EQ(http.get("/", "a.test").status, 200);
  EXPECT_EQ(field_of(stage.aa.last(), "X-Real-IP"), "203.0.113.9");
  EXPECT_EQ(field_of(stage.aa.last(), "X-Forwarded-For"), "203.0.113.9");
  EXPECT_TRUE(eventually([&] {
    return stage.dataplane.access_log().find("\"client\":\"203.0.113.9\"") != std::string::npos;
  }));
}

TEST(PushStreams, TlsOfOneHostIsPassedOnWhereAnotherIsTerminatedOnTheSamePort) {
  Stage stage;
  const TestCertificate outer("outer", {"a.test"});
  const TestCertificate inner("inner", {"pass.test", "x.wild.test"});
  // The backend ends TLS itself: a listener of its own with its own certificate.
  model::Listener backend = make_listener("backend", free_port(), "inner");
  backend.protocol = model::ListenerProtocol::kHttps;
  backend.default_certificates = {"inner"};
  model::Route inside = make_route("inside", "/", "bb");
  inside.table = "inner";
  inside.host = "*";
  push_cluster(stage, "tls", {backend.binds[0].port});
  stage.listener.protocol = model::ListenerProtocol::kHttps;
  stage.listener.default_certificates = {"outer"};
  std::vector<model::ResourcePtr> all = {outer.resource, inner.resource, make_resource(inside),
                                         make_resource(backend), make_resource(stage.listener)};
  for (const char* name : {"pass.test", "*.wild.test"}) {
    model::Host host = make_host(name);
    host.passthrough.emplace().backends = {to("tls")};
    all.push_back(make_resource(host));
  }
  stage.must_push(all);
  struct Case {
    const char* name;
    const char* server;
    const TestCertificate& certificate;
  };
  for (const Case& one : {Case{"pass.test", "bb", inner}, Case{"x.wild.test", "bb", inner},
                          Case{"a.test", "aa", outer}}) {
    SCOPED_TRACE(one.name);
    Client client({.port = stage.port, .tls = true, .sni = one.name});
    ASSERT_TRUE(client.is_open());
    EXPECT_EQ(client.certificate(), one.certificate.fingerprint);
    EXPECT_EQ(client.get("/", one.name).server(), one.server);
  }
  // Without a name there is nothing to pass on by.
  Client nameless({.port = stage.port, .tls = true});
  EXPECT_EQ(nameless.certificate(), outer.fingerprint);
  // What is no TLS gets its answer as before.
  Client plain(stage.door());
  EXPECT_EQ(plain.get("/", "a.test").status, 400);
  EXPECT_TRUE(eventually([&] {
    return stage.dataplane.access_log().find("\"host\":\"pass.test\"") != std::string::npos;
  }));

  model::Host again = make_host("pass.test");
  stage.must_push({make_resource(again)});
  Client ended({.port = stage.port, .tls = true, .sni = "pass.test"});
  EXPECT_EQ(ended.certificate(), outer.fingerprint);
}

TEST(PushStreams, DatagramsFindTheirBackendAndTheirWayBack) {
  Stage stage;
  StreamBackend a("a"), b("b");
  push_cluster(stage, "udp", {a.port(), b.port()});
  model::Listener listener = udp_listener("udp-1", "udp");
  listener.stream.responses = 0;
  // A TCP listener may have the same port.
  model::Listener twin = tcp_listener("tcp-1", "udp");
  twin.binds[0].port = listener.binds[0].port;
  stage.must_push({make_resource(listener), make_resource(twin)});
  EXPECT_NE(greeting(twin.binds[0].port), "");
  std::set<std::string> servers;
  for (int i = 0; i < 4; ++i) {
    RawClient client(listener.binds[0].port, true);
    ASSERT_TRUE(client.send("one"));
    const std::string first = client.receive();
    ASSERT_TRUE(client.send("twice"));
    const std::string second = client.receive();
    EXPECT_EQ(client.receive(), second) << "a flow may have more answers than questions";
    EXPECT_EQ(first.substr(0, 2), second.substr(0, 2)) << "one flow, one backend";
    EXPECT_EQ(first.substr(1), " one");
    servers.insert(first.substr(0, 1));
  }
  EXPECT_EQ(servers.size(), 2U);
  const std::string large(60'000, 'x');
  RawClient client(listener.binds[0].port, true);
  ASSERT_TRUE(client.send(large));
  EXPECT_EQ(client.receive().size(), large.size() + 2);
}

TEST(PushStreams, AFlowEndsWithItsAnswersOrWhenItIsIdle) {
  Stage stage;
  StreamBackend a("a");
  push_cluster(stage, "udp", {a.port()});
  model::Listener listener = udp_listener("udp-1", "udp");
  listener.stream.idle_timeout = Millis(300);
  stage.must_push({make_resource(listener)});
  const auto active = [&] {
    return get({.port = stage.dataplane.admin_port()}, "/metrics", "a.test")
               .body.find("weir_stream_active{listener=\"udp-1\"} 0") != std::string::npos;
  };
  RawClient client(listener.binds[0].port, true);
  ASSERT_TRUE(client.send("hi"));
  EXPECT_EQ(client.receive(), "a hi");
  EXPECT_TRUE(eventually(active)) << "its one answer came";
  ASSERT_TRUE(client.send("never"));
  EXPECT_TRUE(eventually(active)) << "idle";
  EXPECT_TRUE(eventually([&] {
    return stage.dataplane.access_log().find("\"protocol\":\"UDP\"") != std::string::npos;
  }));
}

}  // namespace
}  // namespace weir::push
