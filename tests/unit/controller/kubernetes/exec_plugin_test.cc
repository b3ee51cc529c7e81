#include "controller/kubernetes/exec_plugin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "common/base/text.h"
#include "controller/kubernetes/config.h"

namespace weir::kubernetes {
namespace {

using ::testing::HasSubstr;

constexpr const char* kGood = R"({"apiVersion":"client.authentication.k8s.io/v1",
  "kind":"ExecCredential","status":{"token":"secret","expirationTimestamp":"2030-01-02T03:04:05Z"}})";

// Real scripts in a folder with a kubeconfig.
class ExecPluginTest : public testing::Test {
 protected:
  ExecPluginTest() {
    folder_ = (std::filesystem::temp_directory_path() / "weir-exec-XXXXXX").string();
    EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
  }
  ~ExecPluginTest() override { std::filesystem::remove_all(folder_); }

  void script(const std::string& body) const {
    std::ofstream(folder_ + "/plugin") << "#!/bin/sh\n" << body << "\n";
    ::chmod((folder_ + "/plugin").c_str(), 0755);
  }
  void prints(const std::string& text) const { script("cat <<'END'\n" + text + "\nEND"); }

  base::Result<ExecPlugin> plugin(const std::string& more = "") const {
    const auto exec = base::Json::parse(R"({"command":"./plugin",
      "apiVersion":"client.authentication.k8s.io/v1","interactiveMode":"Never")" +
                                        more + "}");
    return read_exec_plugin(exec.value(), "users[u].exec", folder_ + "/");
  }
  std::string error(std::chrono::milliseconds patience = std::chrono::seconds(60)) const {
    const auto got = run_exec_plugin(plugin().value(), patience);
    return got.ok() ? "no error" : got.error().text;
  }
  std::string folder_;
};

TEST_F(ExecPluginTest, GivesATokenThatExpires) {
  prints(kGood);
  const auto got = run_exec_plugin(plugin().value());
  ASSERT_TRUE(got.ok()) << got.error().text;
  EXPECT_EQ(got.value().token, "secret");
  EXPECT_EQ(got.value().expires, base::parse_rfc3339("2030-01-02T03:04:05Z"));
}

TEST_F(ExecPluginTest, IsToldOfClusterAndHasItsOwnEnvironmentAndNoInput) {
  script(R"sh(read -r line && exit 9
[ "$1 $2" = "one two words" ] && [ "$GREETING" = "hello = you" ] && [ -n "$PATH" ] || exit 8
cat <<END
{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",
 "status":{"token":"$(printf %s "$KUBERNETES_EXEC_INFO" | tr -d '"' | tr ' ' _)"}}
END)sh");
  auto read =
      plugin(R"(,"args":["one","two words"],"env":[{"name":"GREETING","value":"hello = you"}])");
  read.value().cluster.set("server", "https://a");
  const auto got = run_exec_plugin(read.value());
  ASSERT_TRUE(got.ok()) << got.error().text;
  EXPECT_EQ(got.value().token,
            "{apiVersion:client.authentication.k8s.io/v1,kind:ExecCredential,"
            "spec:{interactive:false,cluster:{server:https://a}}}");
}

TEST_F(ExecPluginTest, GivesAClientCertificate) {
  prints(R"({"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",
    "status":{"clientCertificateData":"CERT","clientKeyData":"KEY"}})");
  const auto got = run_exec_plugin(plugin().value());
  ASSERT_TRUE(got.ok()) << got.error().text;
  EXPECT_EQ(got.value().client_cert_pem, "CERT");
  EXPECT_EQ(got.value().client_key_pem, "KEY");
  EXPECT_FALSE(got.value().expires.has_value());
}

TEST_F(ExecPluginTest, WhatItDoesWrongIsNamed) {
  const std::string head = R"({"apiVersion":"client.authentication.k8s.io/v1","kind":)";
  struct Case {
    std::string printed, part;
  };
  for (const Case& c : {
           Case{"hello", "printed no JSON"},
           Case{R"({"kind":"Pod"})", "printed kind 'Pod'"},
           Case{R"({"kind":"ExecCredential","apiVersion":"v2"})", "apiVersion 'v2', asked for"},
           Case{head + R"("ExecCredential"})", "neither token nor clientCertificateData"},
           Case{head + R"("ExecCredential","status":{"clientKeyData":"k"}})", "belong together"},
           Case{head + R"("ExecCredential","status":{"token":"a\nb"}})", "line end"},
           Case{head + R"("ExecCredential","status":{"token":"a","expirationTimestamp":"soon"}})",
                "'soon': accepted: RFC 3339"},
       }) {
    prints(c.printed);
    EXPECT_THAT(error(), HasSubstr(c.part));
    EXPECT_THAT(error(), HasSubstr("users[u].exec: "));
  }
  script("exit 3");
  EXPECT_THAT(error(), HasSubstr("ended with status 3"));
  script("kill -9 $$");
  EXPECT_THAT(error(), HasSubstr("ended by a signal"));
  script("head -c 2000000 /dev/zero");
  EXPECT_THAT(error(), HasSubstr("more than 1 MiB"));
  script("sleep 600");
  EXPECT_THAT(error(std::chrono::milliseconds(50)), HasSubstr("gave no credential in time"));
}

TEST_F(ExecPluginTest, OneThatIsNotThereShowsTheHint) {
  const auto got = run_exec_plugin(plugin(R"(,"installHint":"apt-get install it")").value());
  ASSERT_FALSE(got.ok());
  EXPECT_THAT(got.error().text, HasSubstr("No such file or directory\napt-get install it"));
}

TEST_F(ExecPluginTest, OneThatWantsTheTerminalIsRefused) {
  const auto wrong = [this](const std::string& more) {
    const auto got = plugin(more);
    return got.ok() ? "no error" : got.error().text;
  };
  EXPECT_THAT(wrong(R"(,"interactiveMode":"Always")"), HasSubstr(".interactiveMode Always"));
  EXPECT_THAT(wrong(R"(,"interactiveMode":"Often")"), HasSubstr("accepted: Never or IfAvailable"));
  EXPECT_THAT(wrong(R"(,"apiVersion":"client.authentication.k8s.io/v1alpha1")"),
              HasSubstr(".apiVersion"));
  EXPECT_THAT(wrong(R"(,"command":"")"), HasSubstr(".command is empty"));
}

TEST_F(ExecPluginTest, AKubeconfigLeadsToItsCredentials) {
  prints(kGood);
  std::ofstream(folder_ + "/config")
      << "current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n"
         "clusters: [{name: c, cluster: {server: 'https://a'}}]\n"
         "users: [{name: u, user: {exec: {command: ./plugin, provideClusterInfo: true,\n"
         "  apiVersion: client.authentication.k8s.io/v1, interactiveMode: IfAvailable}}}]\n";
  auto access = kubeconfig_access(folder_ + "/config");
  ASSERT_TRUE(access.ok()) << access.error().text;
  EXPECT_EQ(access.value().exec->cluster["server"].as_string(), "https://a");
  ASSERT_TRUE(load_credentials(access.value()).ok());
  EXPECT_EQ(access.value().token, "secret");
  EXPECT_TRUE(access.value().expires.has_value());
}

}  // namespace
}  // namespace weir::kubernetes
