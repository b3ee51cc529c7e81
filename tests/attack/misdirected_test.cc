// Row 22: one TLS connection, requests for several hosts (RFC 9110 section 15.5.20, RFC 9113
// section 9.1.1), over HTTP/2 and over HTTP/1.1.

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "common/features/auth_tls.h"
#include "tests/attack/pki.h"
#include "tests/attack/tls_probe.h"
#include "tests/h2/peer.h"
#include "tests/push/stage.h"

namespace weir::attack {
namespace {

using model::make_resource;

// A client that reuses one connection for all its requests.
class H2Probe {
 public:
  H2Probe(std::uint16_t port, const std::string& sni)
      : probe_({.port = port, .sni = sni, .alpn = "\x02h2"}) {
    EXPECT_TRUE(probe_.open()) << probe_.error();
    EXPECT_EQ(probe_.alpn(), "h2");
  }
  h2::Response get(const std::string& authority) {
    h2::Fields fields = h2::get("/", authority);
    fields[1].second = "https";
    const std::int32_t id = peer_.request(fields);
    std::string buffer(16'384, '\0');
    for (int turns = 0; turns < 100 && !peer_.done(id); ++turns) {
      const std::string out = peer_.output();
      if (!out.empty()) SSL_write(probe_.ssl(), out.data(), static_cast<int>(out.size()));
      const int got = SSL_read(probe_.ssl(), buffer.data(), static_cast<int>(buffer.size()));
      if (got <= 0 || !peer_.feed({buffer.data(), static_cast<std::size_t>(got)})) break;
    }
    return peer_.response(id);
  }

 private:
  Probe probe_;
  h2::Peer peer_;
};

// Hosts a.test and b.test with a certificate each, c.test that shares a.test's, d.test that
// a.test's covers though its own is another, and plain.test without one. All go to `aa`.
class Misdirected : public testing::Test {
 protected:
  Misdirected() {
    secure.protocol = model::ListenerProtocol::kHttps;
    secure.default_certificates = {"default"};
    stage.must_push(
        {Identity({.common_name = "default", .sans = "DNS:default.test"}).certificate("default"),
         Identity({.common_name = "a", .sans = "DNS:a.test,DNS:c.test,DNS:d.test"})
             .certificate("of-a"),
         Identity({.common_name = "b", .sans = "DNS:b.test"}).certificate("of-b"),
         Identity({.common_name = "d", .sans = "DNS:d.test"}).certificate("of-d"),
         make_resource(secure)});
    push_host("a.test", {"of-a"});
    push_host("b.test", {"of-b"});
    push_host("c.test", {"of-a"});
    push_host("d.test", {"of-d"});
    push_host("plain.test", {});
  }
  void push_host(const std::string& name, const std::vector<std::string>& certificates) {
    model::Host host = push::make_host(name);
    host.certificates = certificates;
    model::Route route = push::make_route("root-" + name, "/", "aa");
    route.host = name;
    stage.must_push({make_resource(host), make_resource(route)});
  }
  std::uint16_t door() const { return secure.binds[0].port; }

  push::Stage stage;
  model::Listener secure = push::make_listener("secure", push::free_port());
};

TEST_F(Misdirected, Row22AnAuthorityThatTheCertificateIsNotForIs421OverHttp2) {
  H2Probe probe(door(), "a.test");
  EXPECT_EQ(probe.get("a.test").status, 200);
  const std::size_t before = stage.aa.served();
  EXPECT_EQ(probe.get("b.test").status, 421);
  EXPECT_EQ(probe.get("B.test:443").status, 421) << "case and port change nothing";
  EXPECT_EQ(stage.aa.served(), before) << "no byte of it reached the backend";
  EXPECT_EQ(probe.get("a.test").status, 200) << "the connection is as good as before";
}

TEST_F(Misdirected, Row22HostsThatTheCertificateIsForMayShareAConnectionOverHttp2) {
  H2Probe probe(door(), "a.test");
  EXPECT_EQ(probe.get("c.test").status, 200) << "the same certificate";
  EXPECT_EQ(probe.get("d.test").status, 200) << "the certificate names it";
  EXPECT_EQ(probe.get("plain.test").status, 200) << "has none of its own";
  H2Probe other(door(), "d.test");
  EXPECT_EQ(other.get("a.test").status, 421) << "what the other way covers, this way does not";
  H2Probe unnamed(door(), "");
  EXPECT_EQ(unnamed.get("b.test").status, 200) << "no SNI, nothing to contradict";
}

// Clients share connections over HTTP/2 only (RFC 9113 section 9.1.1). Over HTTP/1.1 another host
// is the doing of a gateway in front that holds one connection for all: it is served.
TEST_F(Misdirected, Row22OverHttp1AnotherHostIsServedAsItself) {
  Probe probe({.port = door(), .sni = "a.test"});
  EXPECT_EQ(probe.get("a.test").status, 200);
  EXPECT_EQ(probe.get("b.test").status, 200);
  EXPECT_EQ(probe.get("nobody.test").status, 404);
}

TEST_F(Misdirected, Row22AClientCertificatePolicyIsNotReachedByAnotherHostsConnectionOverHttp2) {
  const Identity root({.common_name = "root", .authority = true});
  model::Host host = push::make_host("c.test");
  host.certificates = {"of-a"};
  host.client_tls = model::ClientTls{model::ClientCertificateMode::kRequired, "ca", 1};
  const auto policy =
      model::make_policy("auth_tls", 1, base::encode(features::AuthTls{.asks = true}).to_string());
  model::Route route = push::make_route("root-c.test", "/", "aa");
  route.host = "c.test";
  route.policies = {policy->key.name};
  stage.must_push({root.trust("ca"), policy, make_resource(host), make_resource(route)});
  H2Probe probe(door(), "a.test");
  EXPECT_EQ(probe.get("a.test").status, 200);
  EXPECT_EQ(probe.get("c.test").status, 421) << "it was never asked for a certificate";
}

}  // namespace
}  // namespace weir::attack
