#include "e2e/harness/stage.h"

namespace weir::e2e {
namespace {

using Tls = OnBoth;

IngressSpec secure_web() {
  return {.name = "web", .rules = {{"web.test"}}, .secret = "web-tls", .tls_hosts = {"web.test"}};
}

TEST_P(Tls, TheNameChoosesTheCertificateAndARotationIsLive) {
  const crypto::PemPair first = make_certificate("web.test");
  const crypto::PemPair second = make_certificate("web.test");
  put(tls_secret("web-tls", first));
  put(ingress(secure_web()));
  start();
  const std::uint16_t port = weir().https();
  EXPECT_EQ(served_certificate(port, "web.test"), fingerprint_of(first));
  const std::string fallback = served_certificate(port, "-");
  EXPECT_NE(fallback, fingerprint_of(first));
  EXPECT_EQ(served_certificate(port, "other.test"), fallback);
  EXPECT_EQ(Client(port, "web.test").ask({"web.test"}).backend(), "a");

  Client open(port, "web.test");
  EXPECT_EQ(open.ask({"web.test"}).status, 200);
  put(tls_secret("web-tls", second));
  EXPECT_TRUE(
      eventually([&] { return served_certificate(port, "web.test") == fingerprint_of(second); }));
  EXPECT_EQ(open.ask({"web.test"}).status, 200) << "the open connection survives a rotation";
}

TEST_P(Tls, AMissingSecretServesTheDefaultTellsTheOwnerAndIsFixedLive) {
  put(ingress(secure_web()));
  start();
  const std::uint16_t port = weir().https();
  const std::string fallback = served_certificate(port, "-");
  EXPECT_FALSE(fallback.empty());
  EXPECT_EQ(served_certificate(port, "web.test"), fallback);
  ASSERT_TRUE(event_comes("web", "SecretNotFound"));
  const base::Json event = event_about("web", "SecretNotFound");
  EXPECT_EQ(event["type"].as_string(), "Warning");
  EXPECT_NE(event["note"].as_string().find("spec.tls[0].secretName 'web-tls'"), std::string::npos)
      << event.to_pretty_string();

  const crypto::PemPair pair = make_certificate("web.test");
  put(tls_secret("web-tls", pair));
  EXPECT_TRUE(
      eventually([&] { return served_certificate(port, "web.test") == fingerprint_of(pair); }));
  EXPECT_TRUE(
      eventually([&] { return weir().admin("/reports").find("web-tls") == std::string::npos; }));
  remove("Secret", "web-tls");
  EXPECT_TRUE(eventually([&] { return served_certificate(port, "web.test") == fallback; }));
}

TEST_P(Tls, ABrokenSecretHarmsOnlyItsIngress) {
  crypto::PemPair broken = make_certificate("web.test");
  broken.key = make_certificate("web.test").key;  // of another certificate
  put(tls_secret("web-tls", broken));
  put(ingress(secure_web()));
  const crypto::PemPair good = make_certificate("good.test");
  put(tls_secret("good-tls", good));
  put(ingress({.name = "good",
               .rules = {{"good.test"}},
               .secret = "good-tls",
               .tls_hosts = {"good.test"}}));
  start();
  EXPECT_EQ(served_certificate(weir().https(), "good.test"), fingerprint_of(good));
  EXPECT_EQ(served_certificate(weir().https(), "web.test"),
            served_certificate(weir().https(), "-"));
  EXPECT_EQ(ask(weir().http(), {"good.test"}).status, 308) << "TLS hosts are redirected";
  EXPECT_TRUE(event_comes("web", "SecretInvalid"));
  EXPECT_TRUE(event_about("good", "SecretInvalid").is_null());
}

TEST_P(Tls, ARotationThatWentWrongLeavesTheOldCertificateAndTellsTheOwner) {
  const crypto::PemPair good = make_certificate("web.test");
  put(tls_secret("web-tls", good));
  put(ingress(secure_web()));
  start();
  const std::uint16_t port = weir().https();
  EXPECT_EQ(served_certificate(port, "web.test"), fingerprint_of(good));
  crypto::PemPair broken = make_certificate("web.test");
  broken.key = good.key;
  put(tls_secret("web-tls", broken));
  ASSERT_TRUE(event_comes("web", "SecretInvalid"));
  EXPECT_EQ(served_certificate(port, "web.test"), fingerprint_of(good));
  const crypto::PemPair mended = make_certificate("web.test");
  put(tls_secret("web-tls", mended));
  EXPECT_TRUE(
      eventually([&] { return served_certificate(port, "web.test") == fingerprint_of(mended); }));
}

TEST_P(Tls, TheLeaderWritesTheTicketKeysThatAllReplicasTake) {
  put(base::Json::parse(R"({"apiVersion":"v1","kind":"Secret","type":"Opaque",
      "metadata":{"name":"weir-ticket-keys","namespace":"weir"}})")
          .value());
  const std::vector<std::string> flags = {"--ticket-keys-secret", "weir/weir-ticket-keys"};
  start(flags, 0);
  start(flags, 1);
  const auto keys = [this] {
    return api().get("Secret", "weir", "weir-ticket-keys")["data"]["keys.json"].as_string();
  };
  EXPECT_TRUE(eventually([&] { return !keys().empty(); }));
  const std::string written = keys();
  for (const int replica : {0, 1}) {
    EXPECT_TRUE(eventually([&] {
      return weir(replica).admin("/reports").find("TicketKeysMissing") == std::string::npos;
    })) << replica;
  }
  EXPECT_EQ(keys(), written) << "one wrote, once";
}

INSTANTIATE_TEST_SUITE_P(Api, Tls, testing::Values("fake", "real"),
                         [](const auto& tested) { return std::string(tested.param); });

}  // namespace
}  // namespace weir::e2e
