#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "controller/kubernetes/api_client.h"
#include "controller/kubernetes/manifest_yaml.h"
#include "e2e/harness/api.h"
#include "e2e/harness/process.h"

namespace weir::e2e {
namespace {

using kubernetes::KindDescriptor;

constexpr std::string_view kRbac = "rbac.authorization.k8s.io";

const KindDescriptor& kind_of(std::string_view kind) {
  static const std::vector<KindDescriptor> kinds = {
      {"Namespace", "", "v1", "namespaces", false},
      {"ServiceAccount", "", "v1", "serviceaccounts"},
      {"Service", "", "v1", "services"},
      {"Secret", "", "v1", "secrets"},
      {"ConfigMap", "", "v1", "configmaps"},
      {"EndpointSlice", "discovery.k8s.io", "v1", "endpointslices"},
      {"Ingress", "networking.k8s.io", "v1", "ingresses"},
      {"IngressClass", "networking.k8s.io", "v1", "ingressclasses", false},
      {"Deployment", "apps", "v1", "deployments"},
      {"Lease", "coordination.k8s.io", "v1", "leases"},
      {"Event", "events.k8s.io", "v1", "events"},
      {"ClusterRole", kRbac, "v1", "clusterroles", false},
      {"ClusterRoleBinding", kRbac, "v1", "clusterrolebindings", false},
      {"Role", kRbac, "v1", "roles"},
      {"RoleBinding", kRbac, "v1", "rolebindings"},
      {"CustomResourceDefinition", "apiextensions.k8s.io", "v1", "customresourcedefinitions",
       false},
      {"WeirSettings", "weir.ingress", "v1alpha1", "weirsettings"},
  };
  for (const KindDescriptor& one : kinds) {
    if (one.kind == kind) return one;
  }
  ADD_FAILURE() << "the tests know no kind " << kind;
  return kinds.front();
}

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::stringstream out;
  out << file.rdbuf();
  return out.str();
}

class RealApi final : public Api {
 public:
  explicit RealApi(std::string folder)
      : folder_(std::move(folder)),
        access_(kubernetes::kubeconfig_access(folder_ + "/admin.kubeconfig").value()) {
    connect();
    allow();
    base::Json shop = base::Json::parse(R"({"apiVersion":"v1","kind":"Namespace",
        "metadata":{"name":"shop"}})")
                          .value();
    put(std::move(shop));
    write_kubeconfig();
  }

  std::string_view name() const override { return "real"; }

  void put(base::Json object) override {
    const base::Json& metadata = object["metadata"];
    const KindDescriptor& kind = kind_of(object["kind"].as_string());
    const std::string ns = kind.namespaced ? metadata["namespace"].as_string() : "";
    auto answer = ask("POST", api_path(kind, ns), object.to_string());
    if (answer.head.status == 409) {
      // Definitions and their objects are replaced only by who names the version that is there.
      const base::Json old = ask("GET", api_path(kind, ns, metadata["name"].as_string())).body;
      if (kind.group.ends_with("ingress") || kind.kind == "CustomResourceDefinition")
        object.find("metadata")->set("resourceVersion", old.at_path("metadata", "resourceVersion"));
      answer = ask("PUT", api_path(kind, ns, metadata["name"].as_string()), object.to_string());
    }
    EXPECT_TRUE(answer.ok()) << object.to_string() << "\n" << answer.body.to_string();
  }

  std::string refusal_of(const base::Json& object) override {
    const std::string ns = object.at_path("metadata", "namespace").as_string();
    const auto answer =
        ask("POST", api_path(kind_of(object["kind"].as_string()), ns), object.to_string());
    if (answer.ok()) return {};
    return "status " + std::to_string(answer.head.status) + ": " +
           answer.body["message"].as_string();
  }

  void remove(std::string_view kind, std::string_view ns, std::string_view name) override {
    ask("DELETE", api_path(kind_of(kind), ns, name));
  }

  base::Json get(std::string_view kind, std::string_view ns, std::string_view name) override {
    auto answer = ask("GET", api_path(kind_of(kind), ns, name));
    return answer.ok() ? std::move(answer.body) : base::Json();
  }

  std::vector<base::Json> all(std::string_view kind, std::string_view ns) override {
    return ask("GET", api_path(kind_of(kind), ns)).body["items"].items();
  }

  std::string kubeconfig() const override { return folder_ + "/weir.kubeconfig"; }

  // The ClusterRole without the rule for this resource.
  void deny(std::string_view plural) override {
    base::Json role = get("ClusterRole", "", "weir");
    base::Json rules = base::Json::array();
    for (const base::Json& rule : role["rules"].items()) {
      base::Json kept = rule;
      base::Json resources = base::Json::array();
      for (const base::Json& one : rule["resources"].items()) {
        if (one.as_string() != plural) resources.push(one);
      }
      if (resources.items().empty()) continue;
      kept.set("resources", std::move(resources));
      rules.push(std::move(kept));
    }
    role.set("rules", std::move(rules));
    put_role(std::move(role));
  }

  void allow() override {
    const auto documents = kubernetes::parse_yaml(text_of(WEIR_SOURCE_DIR "/deploy/rbac.yaml"));
    ASSERT_TRUE(documents.ok());
    for (const kubernetes::YamlDocument& one : documents.value()) put_role(one.value);
  }

  void stop() override { script("stop"); }
  void start() override {
    script("start");
    connect();
  }

  void compact() override {
    const std::string url = "http://127.0.0.1:2379/v3/kv/";
    const std::string range = run_program(
        {"/usr/bin/curl", "-s", "--noproxy", "*", url + "range", "-d", R"({"key":"AA=="})"});
    const std::string revision =
        base::Json::parse(range).value().at_path("header", "revision").as_string();
    run_program({"/usr/bin/curl", "-s", "--noproxy", "*", url + "compaction", "-d",
                 R"({"revision":")" + revision + R"(","physical":true})"});
  }

 private:
  void put_role(base::Json object) {
    if (base::Json* metadata = object.find("metadata")) metadata->erase("resourceVersion");
    put(std::move(object));
  }

  void script(const std::string& verb) {
    run_program({"/bin/bash", WEIR_SOURCE_DIR "/e2e/cluster/apiserver.sh", folder_, verb});
  }

  void connect() { client_ = std::make_unique<kubernetes::ApiClient>(loop_, access_, "weir-e2e"); }

  void write_kubeconfig() {
    const auto answer = ask("POST", "/api/v1/namespaces/weir/serviceaccounts/weir/token",
                            R"({"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest",
                                "spec":{"expirationSeconds":3600}})");
    const std::string token = answer.body.at_path("status", "token").as_string();
    ASSERT_FALSE(token.empty()) << answer.body.to_string();
    std::ofstream(kubeconfig()) << "apiVersion: v1\nkind: Config\nclusters:\n- name: e2e\n"
                                   "  cluster: {server: \""
                                << access_.server << "\", certificate-authority: ca.crt}\n"
                                << "users:\n- {name: weir, user: {token: \"" << token
                                << "\"}}\ncontexts:\n"
                                   "- {name: e2e, context: {cluster: e2e, user: weir}}\n"
                                   "current-context: e2e\n";
  }

  kubernetes::ApiResponse ask(const std::string& method, const std::string& path,
                              const std::string& body = {}) {
    kubernetes::ApiRequest request;
    request.method = method;
    request.path = path;
    request.body = body;
    std::optional<base::Result<kubernetes::ApiResponse>> answer;
    const auto call = client_->call(
        std::move(request),
        [&answer](base::Result<kubernetes::ApiResponse> got) { answer.emplace(std::move(got)); });
    while (!answer.has_value()) loop_.run_once(std::chrono::milliseconds(100));
    if (answer->ok()) return std::move(*answer).value();
    ADD_FAILURE() << method << " " << path << ": " << answer->error().text;
    return {};
  }

  const std::string folder_;
  const kubernetes::ClusterAccess access_;
  loop::Loop loop_;
  std::unique_ptr<kubernetes::ApiClient> client_;
};

}  // namespace

std::unique_ptr<Api> make_real_api(const std::string& folder) {
  return std::make_unique<RealApi>(folder);
}

}  // namespace weir::e2e
