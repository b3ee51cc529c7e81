// Row 29: what a client may present and must not get in with.

#include <gtest/gtest.h>

#include "common/features/auth_tls.h"
#include "tests/attack/pki.h"
#include "tests/attack/tls_probe.h"
#include "tests/push/stage.h"

namespace weir::attack {
namespace {

using model::make_resource;
using Mode = model::ClientCertificateMode;

Identity authority(const std::string& name, const Identity* issuer = nullptr) {
  return Identity({.common_name = name, .authority = true}, issuer);
}
Identity client(const std::string& name, const Identity& issuer, Ask ask = {}) {
  ask.common_name = name;
  if (ask.usage.empty()) ask.usage = "clientAuth";
  return Identity(ask, &issuer);
}

// Host a.test asks for certificates of `root`; b.test serves everybody; both on one listener.
class ClientCertificates : public testing::Test {
 protected:
  ClientCertificates() {
    secure.protocol = model::ListenerProtocol::kHttps;
    secure.default_certificates = {"server"};
    const Identity server({.common_name = "server", .sans = "DNS:a.test,DNS:b.test"});
    model::Route open = push::make_route("open", "/", "bb");
    open.host = "b.test";
    stage.must_push({server.certificate("server"), root.trust("ca"),
                     make_resource(push::make_host("b.test")), make_resource(open),
                     make_resource(secure)});
    ask(Mode::kRequired);
  }

  void ask(Mode mode, features::AuthTls settings = {}, std::uint32_t depth = 1) {
    model::Host host = push::make_host("a.test");
    host.client_tls = model::ClientTls{mode, "ca", depth};
    push_host(host, settings);
  }
  void push_host(const model::Host& host, features::AuthTls settings) {
    settings.asks = host.client_tls->mode != Mode::kOff;
    const auto policy = model::make_policy("auth_tls", 1, base::encode(settings).to_string());
    model::Route route = push::make_route("root", "/", "aa");
    route.policies = {policy->key.name};
    stage.must_push({policy, make_resource(host), make_resource(route)});
  }

  ProbeAsk door(const std::string& sni = "a.test") const {
    return {.port = secure.binds[0].port, .sni = sni};
  }
  ProbeAnswer visit(const Identity* certificate, std::vector<const Identity*> links = {},
                    const std::string& more_fields = {}) {
    ProbeAsk ask = door();
    ask.certificate = certificate;
    ask.links = std::move(links);
    Probe probe(ask);
    EXPECT_TRUE(probe.open()) << probe.error();
    EXPECT_TRUE(probe.was_asked());
    return probe.get("a.test", "/", more_fields);
  }
  std::string told(const std::string& name) { return push::field_of(stage.aa.last(), name); }

  push::Stage stage;
  model::Listener secure = push::make_listener("secure", push::free_port());
  Identity root = authority("root");
  Identity good = client("good", root);
};

TEST_F(ClientCertificates, Row29OnlyAVerifiedCertificateGetsInAndTheHandshakeNeverFails) {
  const Identity middle = authority("middle", &root);
  const Identity lower = authority("lower", &middle);
  const Identity stranger = authority("stranger");
  const Identity self({.common_name = "self", .usage = "clientAuth"});
  const Identity fake = authority("root");  // the name of the real one
  const Identity expired = client("expired", root, {.from_days = -9, .until_days = -2});
  const Identity early = client("early", root, {.from_days = 2});
  const Identity server = client("server", root, {.usage = "serverAuth"});
  const Identity one_link = client("one-link", middle);
  const Identity two_links = client("two-links", lower);
  const Identity by_stranger = client("by-stranger", stranger);
  const Identity by_fake = client("by-fake", fake);
  const Identity by_leaf = client("by-leaf", good);
  struct Case {
    const char* name;
    const Identity* certificate;
    std::vector<const Identity*> links;
    int status;
  };
  const std::vector<Case> cases = {
      {"good", &good, {}, 200},
      {"one intermediate", &one_link, {&middle}, 200},
      {"none", nullptr, {}, 400},
      {"expired", &expired, {}, 400},
      {"not yet valid", &early, {}, 400},
      {"for servers", &server, {}, 400},
      {"chain too deep", &two_links, {&lower, &middle}, 400},
      {"intermediate missing", &one_link, {}, 400},
      {"self-signed", &self, {}, 400},
      {"of a stranger", &by_stranger, {&stranger}, 400},
      {"of an authority with the same name", &by_fake, {&fake}, 400},
      {"issued by a leaf", &by_leaf, {&good}, 400},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const std::size_t before = stage.aa.served();
    EXPECT_EQ(visit(c.certificate, c.links).status, c.status);
    EXPECT_EQ(stage.aa.served() - before, c.status == 200 ? 1u : 0u);
  }
}

TEST_F(ClientCertificates, Row29DepthCountsIntermediates) {
  const Identity middle = authority("middle", &root);
  const Identity lower = authority("lower", &middle);
  const Identity deep = client("deep", lower);
  ask(Mode::kRequired, {}, 2);
  EXPECT_EQ(visit(&deep, {&lower, &middle}).status, 200);
  ask(Mode::kRequired, {}, 0);
  EXPECT_EQ(visit(&good).status, 200);
  EXPECT_EQ(visit(&deep, {&lower, &middle}).status, 400);
}

TEST_F(ClientCertificates, Row29RevocationListsCloseWhatTheyDoNotClear) {
  const Identity revoked = client("revoked", root);
  stage.must_push({root.trust("ca", {root.crl_der({&revoked})})});
  EXPECT_EQ(visit(&good).status, 200);
  EXPECT_EQ(visit(&revoked).status, 400);
  // An intermediate without a list of its own: nobody knows what it revoked.
  const Identity middle = authority("middle", &root);
  const Identity below = client("below", middle);
  EXPECT_EQ(visit(&below, {&middle}).status, 400);
  stage.must_push({root.trust("ca", {root.crl_der({}), middle.crl_der({})})});
  EXPECT_EQ(visit(&below, {&middle}).status, 200);
  EXPECT_EQ(visit(&revoked).status, 200) << "the new list does not name it";
  // A list that is out of date is as none.
  stage.must_push({root.trust("ca", {root.crl_der({}, -1)})});
  EXPECT_EQ(visit(&good).status, 400);
  // One that another authority signed says nothing.
  const Identity fake = authority("root");
  stage.must_push({root.trust("ca", {fake.crl_der({})})});
  EXPECT_EQ(visit(&good).status, 400);
}

TEST_F(ClientCertificates, Row29ARevocationActsOnTheNextRequestOfAnOpenConnection) {
  ProbeAsk ask = door();
  ask.certificate = &good;
  Probe open(ask);
  ASSERT_EQ(open.get("a.test").status, 200);
  stage.must_push({root.trust("ca", {root.crl_der({&good})})});
  EXPECT_EQ(open.get("a.test").status, 421);
  EXPECT_EQ(visit(&good).status, 400);
}

TEST_F(ClientCertificates, Row29OptionalTakesNoneAndRefusesABadOne) {
  const Identity self({.common_name = "self", .usage = "clientAuth"});
  const Identity expired = client("expired", root, {.from_days = -9, .until_days = -2});
  ask(Mode::kOptional);
  EXPECT_EQ(visit(nullptr).status, 200);
  EXPECT_EQ(told("ssl-client-verify"), "NONE");
  EXPECT_EQ(visit(&self).status, 400);
  ask(Mode::kOptionalNoCa);
  EXPECT_EQ(visit(&self).status, 200);
  EXPECT_EQ(told("ssl-client-verify").substr(0, 7), "FAILED:");
  EXPECT_EQ(told("ssl-client-subject-dn"), "CN=self");
  EXPECT_EQ(visit(&expired).status, 400);
  EXPECT_EQ(visit(nullptr).status, 200);
}

TEST_F(ClientCertificates, TheBackendIsToldAsByIngressNginxAndNotByTheClient) {
  const std::string lies =
      "ssl-client-verify: SUCCESS\r\nSSL-Client-Cert: forged\r\nssl-client-subject-dn: CN=root\r\n";
  ask(Mode::kOptional);
  EXPECT_EQ(visit(nullptr, {}, lies).status, 200);
  EXPECT_EQ(told("ssl-client-verify"), "NONE");
  EXPECT_EQ(told("ssl-client-cert"), "");
  EXPECT_EQ(told("ssl-client-subject-dn"), "");
  ask(Mode::kRequired);
  EXPECT_EQ(visit(&good, {}, lies).status, 200);
  EXPECT_EQ(told("ssl-client-verify"), "SUCCESS");
  EXPECT_EQ(told("ssl-client-subject-dn"), "CN=good");
  EXPECT_EQ(told("ssl-client-issuer-dn"), "CN=root");
  EXPECT_EQ(told("ssl-client-cert"), "");
  ask(Mode::kRequired, {.pass_certificate = true});
  EXPECT_EQ(visit(&good, {}, lies).status, 200);
  const std::string sent = told("ssl-client-cert");
  EXPECT_EQ(sent.substr(0, 35), "-----BEGIN%20CERTIFICATE-----%0AMII") << sent.substr(0, 60);
  EXPECT_EQ(sent.find_first_of("+/= \n"), std::string::npos);
}

TEST_F(ClientCertificates, ASubjectMustMatchAndAnErrorPageRedirects) {
  const Identity other = client("other", root);
  ask(Mode::kRequired, {.error_page = "https://help.test/cert", .match_cn = "CN=go+d$"});
  EXPECT_EQ(visit(&good).status, 200);
  EXPECT_EQ(visit(&other).status, 403);
  const ProbeAnswer none = visit(nullptr);
  EXPECT_EQ(none.status, 302);
  EXPECT_EQ(none.field("Location"), "https://help.test/cert");
}

TEST_F(ClientCertificates, Row27AnotherHostsHandshakeProvesNothing) {
  ProbeAsk ask = door("b.test");
  ask.certificate = &good;
  Probe probe(ask);
  EXPECT_FALSE(probe.was_asked());
  EXPECT_EQ(probe.get("b.test").status, 200);
  EXPECT_EQ(probe.get("a.test").status, 421);
  Probe nameless(door(""));
  EXPECT_EQ(nameless.get("a.test").status, 421);
  // The other way the connection has more than is asked for.
  ask.sni = "a.test";
  Probe strict(ask);
  EXPECT_EQ(strict.get("a.test").status, 200);
  EXPECT_EQ(strict.get("b.test").status, 200);
}

TEST_F(ClientCertificates, PlainHttpBringsNoCertificate) {
  EXPECT_EQ(stage.get("/").status, 400);
  ask(Mode::kRequired, {.allow_plain = true});
  EXPECT_EQ(stage.get("/").status, 200);
}

TEST_F(ClientCertificates, AMissingTrustBundleClosesTheHostAndNothingElse) {
  model::Host host = push::make_host("a.test");
  host.client_tls = model::ClientTls{Mode::kRequired, "gone", 1};
  const push::Verdict verdict = stage.controller->push({make_resource(host)});
  EXPECT_NE(verdict.why(model::ResourceType::kHost, "main/a.test").find("gone"), std::string::npos);
  EXPECT_EQ(visit(&good).status, 503);
  Probe probe(door("b.test"));
  EXPECT_EQ(probe.get("b.test").status, 200);
}

TEST_F(ClientCertificates, AnUnreadableTrustBundleVerifiesNothing) {
  model::Trust trust;
  trust.name = "ca";
  trust.certificates = 1;
  stage.must_push({make_resource(trust, {std::string("no certificate")})});
  EXPECT_EQ(visit(&good).status, 400);
}

}  // namespace
}  // namespace weir::attack
