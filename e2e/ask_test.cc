#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "controller/kubernetes/config.h"
#include "e2e/harness/stage.h"

namespace weir::e2e {
namespace {

struct Said {
  int code = -1;
  std::string text;  // standard output and, behind it, standard error
  base::Json json() const {
    const auto parsed = base::Json::parse(text);
    return parsed.ok() ? parsed.value() : base::Json();
  }
};

// `weirctl` against the real API server, as an administrator by way of a credential plugin: a
// script that prints an ExecCredential.
class Ask : public OnReal {
 protected:
  void SetUp() override {
    folder_ = cluster_folder() + "/ask";
    ::mkdir(folder_.c_str(), 0700);
    ::mkdir((folder_ + "/manifests").c_str(), 0700);
    const auto admin = kubernetes::kubeconfig_access(cluster_folder() + "/admin.kubeconfig");
    ASSERT_TRUE(admin.ok()) << admin.error().text;
    base::Json status = base::Json::object();
    status.set("clientCertificateData", admin.value().client_cert_pem);
    status.set("clientKeyData", admin.value().client_key_pem);
    write_plugin(status);
    std::ofstream(folder_ + "/config")
        << "current-context: nobody\nclusters:\n- name: e2e\n  cluster: {server: \""
        << admin.value().server << "\", certificate-authority: ../ca.crt}\n"
        << R"(users:
- name: plugin
  user:
    exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin, interactiveMode: Never}
- {name: nobody, user: {token: wrong}}
contexts:
- {name: e2e, context: {cluster: e2e, user: plugin}}
- {name: nobody, context: {cluster: e2e, user: nobody}}
)";
  }

  void TearDown() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  void write_plugin(const base::Json& status) const {
    base::Json credential = base::Json::object();
    credential.set("apiVersion", "client.authentication.k8s.io/v1");
    credential.set("kind", "ExecCredential");
    credential.set("status", status);
    std::ofstream(folder_ + "/plugin") << "#!/bin/sh\ncat <<'END'\n"
                                       << credential.to_string() << "\nEND\n";
    ::chmod((folder_ + "/plugin").c_str(), 0700);
  }

  void manifest(const base::Json& object) const {
    std::ofstream(folder_ + "/manifests/" + object.at_path("metadata", "name").as_string() +
                  ".json")
        << object.to_string();
  }

  Said weirctl(const std::string& words, const std::string& program = "weirctl") const {
    const std::string command =
        "KUBECONFIG=" + folder_ + "/config " WEIR_BIN_DIR "/" + program + " " + words + " 2>&1";
    Said out;
    FILE* pipe = ::popen(command.c_str(), "r");
    char buffer[4096];
    for (std::size_t got; (got = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;)
      out.text.append(buffer, got);
    out.code = WEXITSTATUS(::pclose(pipe));
    return out;
  }

  static base::Json deployment(const std::string& name, const std::string& flags) {
    return base::Json::parse(R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":")" +
                             name +
                             R"(","namespace":"shop","labels":{"app.kubernetes.io/name":"weir"}},
        "spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},
        "spec":{"containers":[{"name":"controller","image":"weir",
        "command":["/usr/bin/weir-controller"],"args":[)" +
                             flags + R"(]}]}}}})")
        .value();
  }

  std::string folder_;
};

TEST_F(Ask, ExplainAnswersAsTheControllerServes) {
  put(simple_ingress("web", "web.test", "a"));
  put(ingress({.name = "api", .rules = {{"web.test", {{.path = "/api", .service = "b"}}}}}));
  start();
  ASSERT_TRUE(answers({"web.test", "/api/x"}, "b"));
  const Said said = weirctl("explain --context e2e GET http://web.test/api/x -o json");
  ASSERT_EQ(said.code, 0) << said.text;
  const base::Json answer = said.json();
  const base::Json& winner = answer["candidates"].items().at(0);
  EXPECT_EQ(winner.at_path("from", "name").as_string(), "api") << said.text;
  EXPECT_EQ(winner.at_path("from", "field").as_string(), "spec.rules[0].http.paths[0]");
  const base::Json& backend = answer.at_path("route", "backends").items().at(0);
  EXPECT_EQ(backend["endpoints"].items().at(0)["id"].as_string(), "10.200.1.2:8080");
  EXPECT_EQ(backend["endpoints"].items().at(0)["from"].as_string(), "EndpointSlice shop/b-1");
  EXPECT_NE(answer.at_path("source", "name").as_string().find("default flags"), std::string::npos);
  const Said plugin = weirctl("explain --context e2e GET http://web.test/", "kubectl-weir");
  EXPECT_NE(plugin.text.find("TAKES IT  prefix /  [Ingress shop/web"), std::string::npos)
      << plugin.text;
}

TEST_F(Ask, ItTranslatesWithTheFlagsOfTheDeployment) {
  put(ingress({.name = "web", .class_name = "", .rules = {{"web.test"}}}));
  const std::string question = "explain --context e2e GET http://web.test/";
  EXPECT_NE(weirctl(question).text.find("404"), std::string::npos) << "it names no class";
  put(deployment("weir", R"("--watch-ingress-without-class","--http-port=8080")"));
  const Said said = weirctl(question);
  EXPECT_NE(said.text.find("with the flags of Deployment shop/weir"), std::string::npos)
      << said.text;
  EXPECT_NE(said.text.find("TAKES IT"), std::string::npos) << said.text;
  put(deployment("second", ""));
  EXPECT_NE(weirctl(question).text.find("choose with --controller"), std::string::npos);
  EXPECT_NE(weirctl(question + " --controller shop/weir").text.find("TAKES IT"), std::string::npos);
  EXPECT_NE(weirctl(question + " --controller shop/second").text.find("404"), std::string::npos);
}

TEST_F(Ask, CredentialsThatAreNoneAreSaid) {
  const Said refused = weirctl("explain --context nobody GET http://web.test/");
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.text.find("Unauthorized"), std::string::npos) << refused.text;
  std::ofstream(folder_ + "/plugin") << "#!/bin/sh\necho 'log in first' >&2; exit 1\n";
  const Said failed = weirctl("explain --context e2e GET http://web.test/");
  EXPECT_EQ(failed.code, 2);
  EXPECT_NE(failed.text.find("log in first"), std::string::npos) << failed.text;
  EXPECT_NE(failed.text.find("users[plugin].exec"), std::string::npos) << failed.text;
}

TEST_F(Ask, APlanAppliesTheFolderOverTheCluster) {
  put(simple_ingress("web", "web.test", "a"));
  put(simple_ingress("other", "other.test", "a"));
  manifest(simple_ingress("web", "moved.test", "b"));
  const Said said = weirctl("plan --context e2e -f " + folder_ + "/manifests");
  EXPECT_EQ(said.code, 2) << said.text;
  EXPECT_NE(said.text.find("lost: web.test prefix /  [Ingress shop/web"), std::string::npos)
      << said.text;
  EXPECT_NE(said.text.find("gained: moved.test prefix /"), std::string::npos) << said.text;
  EXPECT_EQ(said.text.find("other.test"), std::string::npos) << "what the folder lacks stays";
  // A new object is younger than any of the cluster: it takes nothing away.
  manifest(simple_ingress("web", "web.test", "a"));
  manifest(simple_ingress("late", "other.test", "b"));
  const Said late = weirctl("plan --context e2e -f " + folder_ + "/manifests");
  EXPECT_EQ(late.code, 0) << late.text;
  EXPECT_NE(late.text.find("shadowed: Ingress shop/late"), std::string::npos) << late.text;
}

}  // namespace
}  // namespace weir::e2e
