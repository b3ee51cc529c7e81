// Certificates of clients, from the annotation to the answer.

#include <gtest/gtest.h>

#include "tests/attack/pki.h"
#include "tests/attack/tls_probe.h"
#include "tests/scenario/harness/stage.h"

namespace weir::scenario {
namespace {

using attack::Identity;

class ClientCertificates : public testing::Test {
 protected:
  ClientCertificates() {
    stage.serve("a", {"a"});
    stage.files["server.yaml"] = tls_secret("server", make_certificate({"a.test", "b.test"}));
    stage.files["ca.yaml"] = opaque_secret("ca", {{"ca.crt", root.pem()}});
    stage.files["ingress.yaml"] = ingress({.name = "a",
                                           .rules = {{.host = "a.test"}},
                                           .annotations = {{"auth-tls-secret", "default/ca"}},
                                           .secret = "server",
                                           .tls_hosts = {"a.test"}}) +
                                  ingress({.name = "b",
                                           .rules = {{.host = "b.test"}},
                                           .secret = "server",
                                           .tls_hosts = {"b.test"}});
  }
  int status(const Weir& weir, const Identity* certificate, const std::string& sni,
             const std::string& host) {
    attack::ProbeAsk ask{.port = weir.https_port(), .sni = sni};
    ask.certificate = certificate;
    attack::Probe probe(ask);
    EXPECT_TRUE(probe.open()) << probe.error();
    return probe.get(host).status;
  }

  Identity root{{.common_name = "root", .authority = true}};
  Identity good{{.common_name = "good", .usage = "clientAuth"}, &root};
  Identity stranger{{.common_name = "stranger", .usage = "clientAuth"}};
  Stage stage;
};

TEST_F(ClientCertificates, AnAnnotationAndItsSecretDecideWhoGetsIn) {
  Weir weir(stage.files);
  ASSERT_TRUE(weir.ready());
  EXPECT_EQ(status(weir, &good, "a.test", "a.test"), 200);
  EXPECT_EQ(status(weir, nullptr, "a.test", "a.test"), 400);
  EXPECT_EQ(status(weir, &stranger, "a.test", "a.test"), 400);
  EXPECT_EQ(status(weir, nullptr, "b.test", "b.test"), 200);
  EXPECT_EQ(status(weir, &good, "b.test", "a.test"), 421);
}

TEST_F(ClientCertificates, ABrokenOrMissingSecretClosesTheHostUntilItIsMended) {
  Weir weir(stage.files);
  ASSERT_TRUE(weir.ready());
  ASSERT_TRUE(weir.change("ca.yaml", opaque_secret("ca", {{"ca.crt", "no certificate"}})));
  EXPECT_EQ(status(weir, &good, "a.test", "a.test"), 503);
  EXPECT_EQ(status(weir, nullptr, "b.test", "b.test"), 200);
  ASSERT_TRUE(weir.change("ca.yaml", opaque_secret("ca", {{"ca.crt", root.pem()}})));
  EXPECT_EQ(status(weir, &good, "a.test", "a.test"), 200);
  ASSERT_TRUE(weir.change_by_removing("ca.yaml"));
  EXPECT_EQ(status(weir, &good, "a.test", "a.test"), 503);
}

TEST_F(ClientCertificates, ARevocationListInTheSecretShutsOut) {
  Weir weir(stage.files);
  ASSERT_TRUE(weir.ready());
  ASSERT_TRUE(weir.change(
      "ca.yaml", opaque_secret("ca", {{"ca.crt", root.pem()}, {"ca.crl", root.crl_pem({&good})}})));
  EXPECT_EQ(status(weir, &good, "a.test", "a.test"), 400);
  ASSERT_TRUE(weir.change(
      "ca.yaml", opaque_secret("ca", {{"ca.crt", root.pem()}, {"ca.crl", root.crl_pem({})}})));
  EXPECT_EQ(status(weir, &good, "a.test", "a.test"), 200);
}

}  // namespace
}  // namespace weir::scenario
