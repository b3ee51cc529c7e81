// Row 30: backends over TLS that are not who they should be, or do not speak TLS at all.

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <thread>

#include "tests/attack/pki.h"
#include "tests/attack/tls_backend.h"
#include "tests/push/stage.h"

namespace weir::attack {
namespace {

using model::make_resource;
constexpr const char* kName = "web.shop.svc";

class UpstreamTls : public testing::Test {
 protected:
  UpstreamTls() { stage.must_push({root.trust("ca")}); }

  static model::UpstreamTls verified() {
    model::UpstreamTls tls;
    tls.enabled = true;
    tls.verify = true;
    tls.trust = "ca";
    return tls;
  }
  // Route "/" goes to this backend from now on.
  void serve(std::uint16_t port, const model::UpstreamTls& tls, bool clean = true) {
    model::Cluster cluster = push::make_cluster("aa");
    cluster.ns = "shop";
    cluster.service = "web";
    cluster.tls = tls;
    const push::Verdict verdict = stage.controller->push(
        {make_resource(push::make_endpoints("aa", {port})), make_resource(cluster)});
    EXPECT_TRUE(verdict.applied);
    EXPECT_EQ(verdict.clean(), clean) << verdict.to_string();
  }
  Identity leaf(const std::string& sans, Ask ask = {}, const Identity* issuer = nullptr) {
    ask.common_name = kName;
    ask.sans = sans;
    if (ask.usage.empty()) ask.usage = "serverAuth";
    return Identity(ask, issuer == nullptr ? &root : issuer);
  }

  push::Stage stage;
  Identity root{{.common_name = "root", .authority = true}};
};

TEST_F(UpstreamTls, Row30OnlyABackendThatProvesItsNameGetsTheRequest) {
  const Identity middle({.common_name = "middle", .authority = true}, &root);
  const Identity lower({.common_name = "lower", .authority = true}, &middle);
  const Identity stranger({.common_name = "root", .authority = true});
  struct Case {
    const char* name;
    Identity certificate;
    std::vector<const Identity*> links;
    int status;
  };
  std::vector<Case> cases;
  cases.push_back({"its name", leaf("DNS:web.shop.svc"), {}, 200});
  cases.push_back({"a wildcard for one label", leaf("DNS:*.shop.svc"), {}, 200});
  cases.push_back({"one intermediate", leaf("DNS:web.shop.svc", {}, &middle), {&middle}, 200});
  cases.push_back({"another name", leaf("DNS:web.other.svc"), {}, 502});
  cases.push_back({"a wildcard for two labels", leaf("DNS:*.svc"), {}, 502});
  cases.push_back({"part of a label", leaf("DNS:w*.shop.svc"), {}, 502});
  cases.push_back({"only the common name", leaf(""), {}, 502});
  cases.push_back({"a name of the wrong type",
                   leaf("email:web@web.shop.svc,URI:https://web.shop.svc"),
                   {},
                   502});
  cases.push_back({"an address", leaf("IP:127.0.0.1"), {}, 502});
  cases.push_back(
      {"expired", leaf("DNS:web.shop.svc", {.from_days = -9, .until_days = -2}), {}, 502});
  cases.push_back({"for clients", leaf("DNS:web.shop.svc", {.usage = "clientAuth"}), {}, 502});
  cases.push_back({"of a stranger", leaf("DNS:web.shop.svc", {}, &stranger), {&stranger}, 502});
  cases.push_back({"too deep", leaf("DNS:web.shop.svc", {}, &lower), {&lower, &middle}, 502});
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const TlsBackend backend({.certificate = &c.certificate, .links = c.links});
    serve(backend.port(), verified());
    EXPECT_EQ(stage.get("/").status, c.status);
    EXPECT_EQ(backend.requests(), c.status == 200 ? 1u : 0u);
  }
}

TEST_F(UpstreamTls, Row30ASelfSignedBackendIsServedOnlyUnverified) {
  const Identity self({.common_name = kName, .sans = "DNS:web.shop.svc", .usage = "serverAuth"});
  const TlsBackend backend({.certificate = &self});
  serve(backend.port(), verified());
  EXPECT_EQ(stage.get("/").status, 502);
  model::UpstreamTls tls = verified();
  tls.verify = false;
  serve(backend.port(), tls);
  EXPECT_EQ(stage.get("/").status, 200);
  EXPECT_EQ(backend.requests(), 1u);
}

TEST_F(UpstreamTls, Row30ARevokedBackendIsRefused) {
  const Identity good = leaf("DNS:web.shop.svc");
  const Identity revoked = leaf("DNS:web.shop.svc");
  const TlsBackend one({.certificate = &good});
  const TlsBackend two({.certificate = &revoked});
  stage.must_push({root.trust("ca", {root.crl_der({&revoked})})});
  serve(one.port(), verified());
  EXPECT_EQ(stage.get("/").status, 200);
  serve(two.port(), verified());
  EXPECT_EQ(stage.get("/").status, 502);
  EXPECT_EQ(two.requests(), 0u);
}

TEST_F(UpstreamTls, Row30AnswersInClearTextAreNoAnswers) {
  const Identity good = leaf("DNS:web.shop.svc");
  for (const bool verify : {true, false}) {
    for (const Greeting greeting : {Greeting::kPlainAnswer, Greeting::kPlainFirst}) {
      SCOPED_TRACE(static_cast<int>(greeting));
      const TlsBackend backend({.certificate = &good, .greeting = greeting});
      model::UpstreamTls tls = verified();
      tls.verify = verify;
      serve(backend.port(), tls);
      const push::Answer answer = stage.get("/secret", "Cookie: key=hush\r\n");
      EXPECT_EQ(answer.status, 502);
      EXPECT_EQ(answer.body.find("injected"), std::string::npos);
      EXPECT_EQ(backend.requests(), 0u);
      EXPECT_EQ(backend.clear_bytes().find("hush"), std::string::npos);
      EXPECT_EQ(backend.clear_bytes().find("/secret"), std::string::npos);
    }
  }
}

TEST_F(UpstreamTls, Row30ASilentBackendEndsInTimeAndSeesNothing) {
  const TlsBackend backend({.greeting = Greeting::kSilent});
  model::Cluster cluster = push::make_cluster("aa");
  cluster.tls = verified();
  cluster.connect_timeout = std::chrono::milliseconds(300);
  stage.must_push(
      {make_resource(push::make_endpoints("aa", {backend.port()})), make_resource(cluster)});
  EXPECT_EQ(stage.get("/secret").status, 504);
  EXPECT_EQ(backend.clear_bytes().find("/secret"), std::string::npos);
  EXPECT_NE(backend.clear_bytes(), "") << "the ClientHello came";
}

TEST_F(UpstreamTls, Row30WhatCannotBeHonouredIsNeverPlainOrUnverified) {
  const Identity good = leaf("DNS:web.shop.svc");
  const TlsBackend backend({.certificate = &good});
  model::UpstreamTls tls = verified();
  tls.trust = "gone";
  serve(backend.port(), tls, false);
  EXPECT_EQ(stage.get("/").status, 502);
  tls = verified();
  tls.client_certificate = "gone";
  serve(backend.port(), tls, false);
  EXPECT_EQ(stage.get("/").status, 502);
  tls = verified();
  tls.ciphers = "NO-SUCH-CIPHER";
  serve(backend.port(), tls);
  EXPECT_EQ(stage.get("/").status, 502);
  EXPECT_EQ(backend.accepted(), 0u);
  // Once the bundle comes, it is used without a word about the cluster.
  tls = verified();
  tls.trust = "later";
  serve(backend.port(), tls, false);
  EXPECT_EQ(stage.get("/").status, 502);
  stage.must_push({root.trust("later")});
  EXPECT_EQ(stage.get("/").status, 200);
}

TEST_F(UpstreamTls, TheAccessLogSaysWhyABackendWasRefused) {
  const Identity wrong = leaf("DNS:other.test");
  const TlsBackend backend({.certificate = &wrong});
  serve(backend.port(), verified());
  EXPECT_EQ(stage.get("/").status, 502);
  const auto told = [this] {
    return stage.dataplane.access_log().find("the certificate is refused: hostname mismatch") !=
           std::string::npos;
  };
  // A thread of its own writes the log.
  for (int i = 0; i < 500 && !told(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_TRUE(told()) << stage.dataplane.access_log();
}

TEST_F(UpstreamTls, NamesAreSentAndAccepted) {
  const Identity good = leaf("DNS:one.test,IP:127.0.0.1");
  const TlsBackend backend({.certificate = &good});
  model::UpstreamTls tls = verified();
  tls.server_name = "one.test";
  serve(backend.port(), tls);
  EXPECT_NE(stage.get("/").body.find("sni=one.test\n"), std::string::npos);
  tls.server_name.clear();
  tls.sans = {"two.test", "127.0.0.1"};
  serve(backend.port(), tls);
  EXPECT_NE(stage.get("/").body.find("sni=\n"), std::string::npos);
  tls.sans = {"two.test", "127.0.0.2"};
  serve(backend.port(), tls);
  EXPECT_EQ(stage.get("/").status, 502);
}

TEST_F(UpstreamTls, ACertificateIsPresentedWhenAskedFor) {
  const Identity good = leaf("DNS:web.shop.svc");
  const Identity weir({.common_name = "weir", .usage = "clientAuth"}, &root);
  stage.must_push({weir.certificate("shop/weir")});
  const TlsBackend backend({.certificate = &good, .wants_certificate = true});
  model::UpstreamTls tls = verified();
  serve(backend.port(), tls);
  EXPECT_NE(stage.get("/").body.find("client=\n"), std::string::npos);
  tls.client_certificate = "shop/weir";
  serve(backend.port(), tls);
  EXPECT_NE(stage.get("/").body.find("client=weir\n"), std::string::npos);
}

TEST_F(UpstreamTls, SessionsAreResumedPerEndpointAndPolicy) {
  const Identity good = leaf("DNS:web.shop.svc");
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const TlsBackend backend({.certificate = &good, .keep_alive = false, .version = version});
    const TlsBackend other({.certificate = &good, .keep_alive = false, .version = version});
    serve(backend.port(), verified());
    const auto resumed = [&] {
      const std::string body = stage.get("/").body;
      return body.substr(body.find("resumed=") + 8, 3);
    };
    // Each worker keeps its own.
    std::string last;
    for (int i = 0; i < 20 && last != "yes"; ++i) last = resumed();
    EXPECT_EQ(last, "yes");
    serve(other.port(), verified());
    EXPECT_EQ(resumed(), "no\n") << "another endpoint";
    model::UpstreamTls tls = verified();
    tls.verify_depth = 3;
    serve(backend.port(), tls);
    EXPECT_EQ(resumed(), "no\n") << "another policy";
  }
}

TEST_F(UpstreamTls, ANewPolicyIsNotServedByConnectionsOfTheOldOne) {
  const Identity self({.common_name = kName, .sans = "DNS:web.shop.svc", .usage = "serverAuth"});
  const TlsBackend backend({.certificate = &self});
  model::UpstreamTls tls = verified();
  tls.verify = false;
  serve(backend.port(), tls);
  EXPECT_EQ(stage.get("/").status, 200);
  serve(backend.port(), verified());
  EXPECT_EQ(stage.get("/").status, 502);
  EXPECT_EQ(backend.requests(), 1u);
}

}  // namespace
}  // namespace weir::attack
