#include "controller/kubernetes/config.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "common/base/text.h"

namespace weir::kubernetes {
namespace {

namespace fs = std::filesystem;

class ConfigTest : public testing::Test {
 protected:
  ConfigTest() {
    std::string pattern = (fs::temp_directory_path() / "weir-config-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~ConfigTest() override { fs::remove_all(folder_); }
  std::string write(const std::string& path, const std::string& text) {
    fs::create_directories((folder_ / path).parent_path());
    std::ofstream(folder_ / path) << text;
    return (folder_ / path).string();
  }
  std::string error_of(const std::string& text, const std::string& context = "") {
    const auto access = kubeconfig_access(write("config", text), context);
    return access.ok() ? "" : access.error().text;
  }
  fs::path folder_;
};

TEST_F(ConfigTest, FindsTheClusterItRunsIn) {
  const std::string account = "var/run/secrets/kubernetes.io/serviceaccount/";
  write(account + "token", "secret\n");
  write(account + "ca.crt", "PEM");
  write(account + "namespace", "weir\n");
  const auto access = in_cluster_access(
      {{"KUBERNETES_SERVICE_HOST", "fd00::1"}, {"KUBERNETES_SERVICE_PORT", "443"}},
      folder_.string());
  ASSERT_TRUE(access.ok()) << access.error().text;
  EXPECT_EQ(access.value().server, "https://[fd00::1]:443");
  EXPECT_EQ(access.value().ns, "weir");
  EXPECT_EQ(access.value().token_file, folder_.string() + "/" + account + "token");
}

TEST_F(ConfigTest, SaysWhatIsMissingInThePod) {
  EXPECT_NE(in_cluster_access({}, "").error().text.find("KUBERNETES_SERVICE_HOST"),
            std::string::npos);
  const auto access = in_cluster_access(
      {{"KUBERNETES_SERVICE_HOST", "10.0.0.1"}, {"KUBERNETES_SERVICE_PORT", "443"}},
      folder_.string());
  EXPECT_NE(access.error().text.find("serviceaccount/token"), std::string::npos);
}

TEST_F(ConfigTest, ReadsAKubeconfigWithInlineDataAndFiles) {
  write("pki/ca.pem", "CA");
  write("pki/key.pem", "KEY");
  const std::string text = R"(
apiVersion: v1
kind: Config
current-context: two
contexts:
- {name: one, context: {cluster: c1, user: u1, namespace: shop}}
- {name: two, context: {cluster: c2, user: u2}}
clusters:
- name: c1
  cluster: {server: "https://a:6443/", certificate-authority: pki/ca.pem, tls-server-name: kube}
- name: c2
  cluster: {server: "https://b", certificate-authority-data: )" +
                           base::base64_encode("CA2") + R"(, insecure-skip-tls-verify: true}
users:
- name: u1
  user: {client-certificate-data: )" +
                           base::base64_encode("CERT") + R"(, client-key: pki/key.pem}
- name: u2
  user: {token: abc, tokenFile: token}
)";
  const std::string path = write("config", text);
  const auto one = kubeconfig_access(path, "one");
  ASSERT_TRUE(one.ok()) << one.error().text;
  EXPECT_EQ(one.value().server, "https://a:6443");
  EXPECT_EQ(one.value().ca_pem, "CA");
  EXPECT_EQ(one.value().ca_file, (folder_ / "pki/ca.pem").string());
  EXPECT_EQ(one.value().client_cert_pem, "CERT");
  EXPECT_EQ(one.value().client_key_pem, "KEY");
  EXPECT_EQ(one.value().tls_server_name, "kube");
  EXPECT_EQ(one.value().ns, "shop");
  const auto two = kubeconfig_access(path);
  ASSERT_TRUE(two.ok()) << two.error().text;
  EXPECT_EQ(two.value().ca_pem, "CA2");
  EXPECT_TRUE(two.value().insecure);
  EXPECT_EQ(two.value().token, "abc");
  EXPECT_EQ(two.value().token_file, (folder_ / "token").string());
  EXPECT_EQ(two.value().ns, "default");
}

TEST_F(ConfigTest, OfSeveralKubeconfigsTheFirstThatNamesAThingCounts) {
  const std::string first = write(
      "first",
      "contexts: [{name: x, context: {cluster: c, user: u}}]\nusers: [{name: u, user: {token: "
      "one}}]\n");
  const std::string second = write(
      "second",
      "current-context: x\ncontexts: [{name: x, context: {cluster: none, user: none}}]\nclusters: "
      "[{name: c, cluster: {server: 'https://a'}}]\nusers: "
      "[{name: u, user: {token: two}}]\n");
  const std::string absent = (folder_ / "absent").string();
  const auto access = kubeconfig_access({absent, first, second});
  ASSERT_TRUE(access.ok()) << access.error().text;
  EXPECT_EQ(access.value().context, "x");
  EXPECT_EQ(access.value().token, "one");
  EXPECT_EQ(access.value().server, "https://a");
  EXPECT_EQ(kubeconfig_files({{"KUBECONFIG", "/a::/b"}, {"HOME", "/h"}}),
            (std::vector<std::string>{"/a", "/b"}));
  EXPECT_EQ(kubeconfig_files({{"HOME", "/h"}}), (std::vector<std::string>{"/h/.kube/config"}));
}

TEST_F(ConfigTest, NamesTheFieldOfAKubeconfigThatIsWrong) {
  const auto config = [](const std::string& cluster, const std::string& user) {
    return "current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n"
           "clusters: [{name: c, cluster: {" +
           cluster + "}}]\nusers: [{name: u, user: {" + user + "}}]\n";
  };
  const std::string good = "server: 'https://a'";
  struct Case {
    std::string text, part;
  };
  for (const Case& c : {
           Case{"a: [", "line "},
           Case{"{}", "current-context is empty"},
           Case{"current-context: y", "context \"y\" is not in contexts"},
           Case{config("server: a", ""), "clusters[c].server: \"a\""},
           Case{config(good + ", proxy-url: x", ""), "proxy-url is not supported"},
           Case{config(good, "auth-provider: {name: gcp}"), "users[u].auth-provider"},
           Case{config(good, "exec: {command: aws}"), "users[u].exec.apiVersion ''"},
           Case{config(good, "username: bob"), "users[u].username"},
           Case{config(good, "client-certificate-data: '%%'"),
                "client-certificate-data is not base64"},
           Case{config(good, "client-certificate-data: YQ=="), "belong together"},
           Case{config(good + ", certificate-authority: none.pem", ""), "none.pem"},
       }) {
    EXPECT_NE(error_of(c.text).find(c.part), std::string::npos)
        << c.part << " / " << error_of(c.text);
  }
  EXPECT_NE(error_of(config(good, ""), "z").find("context \"z\""), std::string::npos);
  EXPECT_FALSE(kubeconfig_access((folder_ / "absent").string()).ok());
}

TEST_F(ConfigTest, ReadsTheTokenAnewAfterAMinuteOrARefusal) {
  const std::string path = write("token", "one\n");
  BearerToken token("", path);
  base::ManualClock clock;
  EXPECT_EQ(token.get(clock.now()), "one");
  write("token", "two");
  clock.advance(std::chrono::seconds(59));
  EXPECT_EQ(token.get(clock.now()), "one");
  clock.advance(std::chrono::seconds(1));
  EXPECT_EQ(token.get(clock.now()), "two");
  write("token", "three");
  token.refuse();
  EXPECT_EQ(token.get(clock.now()), "three");
  fs::remove(path);
  token.refuse();
  EXPECT_EQ(token.get(clock.now()), "three");
}

}  // namespace
}  // namespace weir::kubernetes
