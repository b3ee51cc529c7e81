#include <fstream>
#include <sstream>

#include "controller/kubernetes/manifest_yaml.h"
#include "e2e/harness/stage.h"

namespace weir::e2e {
namespace {

// The chart's narrower modes of roles for the namespace "shop", in the place of deploy/rbac.yaml.
class Roles : public OnReal, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    std::ifstream file(std::string(WEIR_SOURCE_DIR "/e2e/roles/") + GetParam() + ".yaml");
    std::stringstream text;
    text << file.rdbuf();
    const auto documents = kubernetes::parse_yaml(text.str());
    ASSERT_TRUE(documents.ok());
    // What adds before what narrows, so that at no time something is missing.
    for (const bool of_namespace : {true, false}) {
      for (const kubernetes::YamlDocument& one : documents.value()) {
        const base::Json& metadata = one.value["metadata"];
        if (metadata.has("namespace") != of_namespace) continue;
        api().put(one.value);
        if (metadata["name"].as_string() != "weir") added_.push_back(one.value);
      }
    }
    put(balancer());
  }

  void TearDown() override {
    for (const base::Json& one : added_) {
      const base::Json& metadata = one["metadata"];
      api().remove(one["kind"].as_string(), metadata["namespace"].as_string(),
                   metadata["name"].as_string());
    }
    api().allow();
  }

  // In the release's namespace, which is not served.
  static base::Json balancer() {
    return base::Json::parse(R"({"apiVersion":"v1","kind":"Service",
        "metadata":{"name":"weir","namespace":"weir"},
        "spec":{"ports":[{"port":80}],"externalIPs":["192.0.1.9"]}})")
        .value();
  }

  static std::vector<std::string> flags() {
    return {"--watch-namespace", "shop", "--publish-service", "weir/weir"};
  }

  void put_tls(const std::string& name, const std::string& host, const crypto::PemPair& pair) {
    put(tls_secret(name + "-tls", pair));
    put(ingress({.name = name, .rules = {{host}}, .secret = name + "-tls", .tls_hosts = {host}}));
  }

 private:
  std::vector<base::Json> added_;
};

TEST_P(Roles, AreEnoughForRoutesCertificatesStatusAndEvents) {
  const crypto::PemPair pair = make_certificate("web.test");
  put_tls("web", "web.test", pair);
  put(simple_ingress("plain", "plain.test", "a"));
  put(simple_ingress("lost", "lost.test", "nowhere"));
  start(flags());
  EXPECT_EQ(served_certificate(weir().https(), "web.test"), fingerprint_of(pair));
  EXPECT_TRUE(answers({"plain.test"}, "a"));
  EXPECT_TRUE(status_becomes("plain", "192.0.1.9"));
  EXPECT_TRUE(event_comes("lost", "ServiceNotFound"));
}

TEST_P(Roles, LetASecretBeReadOnlyWhereTheModeSaysSo) {
  const bool by_name = std::string(GetParam()) == "named";
  const crypto::PemPair pair = make_certificate("web.test");
  const crypto::PemPair other = make_certificate("other.test");
  put_tls("web", "web.test", pair);
  put_tls("other", "other.test", other);
  if (by_name) expect_forbidden();
  start(flags());
  const std::uint16_t port = weir().https();
  EXPECT_EQ(served_certificate(port, "web.test"), fingerprint_of(pair));
  EXPECT_EQ(served_certificate(port, "other.test"),
            by_name ? served_certificate(port, "-") : fingerprint_of(other));
  if (by_name) {
    EXPECT_TRUE(event_comes("other", "SecretNotFound"));
    EXPECT_NE(weir().admin("/reports").find("forbidden"), std::string::npos)
        << weir().admin("/reports");
  }
}

INSTANTIATE_TEST_SUITE_P(Mode, Roles, testing::Values("namespaces", "named"),
                         [](const auto& tested) { return std::string(tested.param); });

}  // namespace
}  // namespace weir::e2e
