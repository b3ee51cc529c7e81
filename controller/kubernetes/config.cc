#include "controller/kubernetes/config.h"

#include <unistd.h>

#include <fstream>
#include <sstream>

#include "common/base/json.h"
#include "common/base/text.h"
#include "controller/kubernetes/manifest_yaml.h"

namespace weir::kubernetes {
namespace {

using base::Json;

constexpr std::chrono::seconds kTokenAge{60};
constexpr std::string_view kAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount/";

base::Result<std::string> read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) return base::system_error("read " + path, errno);
  return text.str();
}

const Json& named(const Json& config, std::string_view list, std::string_view name) {
  static const Json none{};
  for (const Json& one : config[list].items()) {
    if (one["name"].as_string() == name) return one;
  }
  return none;
}

// Reads a kubeconfig's fields with the file's name in every error.
class KubeconfigReader {
 public:
  KubeconfigReader(const std::string& path, const Json& config) : path_(path), config_(config) {}

  base::Result<ClusterAccess> read(const std::string& wanted) {
    const std::string name = wanted.empty() ? config_["current-context"].as_string() : wanted;
    if (name.empty()) return wrong("current-context is empty; name a context");
    const Json& context = named(config_, "contexts", name)["context"];
    if (context.is_null()) return wrong("context \"" + name + "\" is not in contexts");
    const std::string cluster_name = context["cluster"].as_string();
    const Json& cluster = named(config_, "clusters", cluster_name)["cluster"];
    if (cluster.is_null()) return wrong("cluster \"" + cluster_name + "\" is not in clusters");
    const std::string user_name = context["user"].as_string();
    const Json& user = named(config_, "users", user_name)["user"];
    if (!user_name.empty() && named(config_, "users", user_name).is_null())
      return wrong("user \"" + user_name + "\" is not in users");
    if (!context["namespace"].as_string().empty()) out_.ns = context["namespace"].as_string();
    if (auto done = read_cluster(cluster, "clusters[" + cluster_name + "]"); !done)
      return done.error();
    if (auto done = read_user(user, "users[" + user_name + "]"); !done) return done.error();
    return out_;
  }

 private:
  base::Error wrong(const std::string& reason) const {
    return base::invalid("kubeconfig " + path_ + ": " + reason);
  }
  std::string beside(const std::string& file) const {
    if (file.empty() || file.front() == '/') return file;
    const std::size_t slash = path_.rfind('/');
    return slash == std::string::npos ? file : path_.substr(0, slash + 1) + file;
  }

  // A PEM text given as base64 in FIELD-data or as a file in FIELD; the data wins, as in kubectl.
  base::Result<void> pem(const Json& from, const std::string& field, const std::string& where,
                         std::string& out) {
    const std::string& data = from[field + "-data"].as_string();
    if (!data.empty()) {
      auto decoded = base::base64_decode(data);
      if (!decoded) return wrong(where + "." + field + "-data is not base64");
      out = std::move(*decoded);
      return {};
    }
    const std::string file = beside(from[field].as_string());
    if (file.empty()) return {};
    auto text = read_text(file);
    if (!text) return wrong(where + "." + field + ": " + text.error().text);
    out = std::move(text).value();
    return {};
  }

  base::Result<void> read_cluster(const Json& cluster, const std::string& where) {
    out_.server = cluster["server"].as_string();
    while (out_.server.ends_with('/')) out_.server.pop_back();
    if (!out_.server.starts_with("https://") && !out_.server.starts_with("http://"))
      return wrong(where + ".server: \"" + out_.server + "\" is not an http:// or https:// URL");
    if (cluster.has("proxy-url")) return wrong(where + ".proxy-url is not supported");
    out_.tls_server_name = cluster["tls-server-name"].as_string();
    out_.insecure = cluster["insecure-skip-tls-verify"].as_bool();
    if (cluster["certificate-authority-data"].as_string().empty())
      out_.ca_file = beside(cluster["certificate-authority"].as_string());
    return pem(cluster, "certificate-authority", where, out_.ca_pem);
  }

  base::Result<void> read_user(const Json& user, const std::string& where) {
    for (const std::string_view plugin : {"exec", "auth-provider"}) {
      if (user.has(plugin))
        return wrong(where + "." + std::string(plugin) +
                     ": credential plugins are not supported; use a token or a client certificate");
    }
    if (user.has("username"))
      return wrong(where + ".username: API servers do not take passwords; use a token");
    out_.token = user["token"].as_string();
    out_.token_file = beside(user["tokenFile"].as_string());
    if (auto done = pem(user, "client-certificate", where, out_.client_cert_pem); !done)
      return done;
    if (auto done = pem(user, "client-key", where, out_.client_key_pem); !done) return done;
    if (out_.client_cert_pem.empty() != out_.client_key_pem.empty())
      return wrong(where + ": client-certificate and client-key belong together");
    return {};
  }

  const std::string& path_;
  const Json& config_;
  ClusterAccess out_;
};

}  // namespace

Environment process_environment() {
  Environment out;
  for (char** one = ::environ; one != nullptr && *one != nullptr; ++one) {
    const std::string_view text = *one;
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos)
      out.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

base::Result<ClusterAccess> in_cluster_access(const Environment& environment,
                                              const std::string& root) {
  const auto host = environment.find("KUBERNETES_SERVICE_HOST");
  const auto port = environment.find("KUBERNETES_SERVICE_PORT");
  if (host == environment.end() || host->second.empty() || port == environment.end() ||
      port->second.empty())
    return base::invalid(
        "in-cluster access: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be set");
  ClusterAccess out;
  const bool v6 = host->second.find(':') != std::string::npos;
  out.server = "https://" + (v6 ? "[" + host->second + "]" : host->second) + ":" + port->second;
  const std::string folder = root + std::string(kAccountFolder);
  out.token_file = folder + "token";
  out.ca_file = folder + "ca.crt";
  for (const std::string& file : {out.token_file, out.ca_file}) {
    auto text = read_text(file);
    if (!text) return std::move(text).error().within("in-cluster access");
  }
  auto ns = read_text(folder + "namespace");
  if (ns && !base::trim(ns.value()).empty()) out.ns = base::trim(ns.value());
  return out;
}

base::Result<ClusterAccess> kubeconfig_access(const std::string& path, const std::string& context) {
  auto text = read_text(path);
  if (!text) return std::move(text).error().within("kubeconfig");
  auto documents = parse_yaml(text.value());
  if (!documents) return std::move(documents).error().within("kubeconfig " + path);
  if (documents.value().empty()) return base::invalid("kubeconfig " + path + ": empty");
  return KubeconfigReader(path, documents.value().front().value).read(context);
}

const std::string& BearerToken::get(base::TimePoint now) {
  if (file_.empty() || (read_at_ && now - *read_at_ < kTokenAge)) return token_;
  read_at_ = now;
  auto text = read_text(file_);
  if (text && !base::trim(text.value()).empty()) token_ = base::trim(text.value());
  return token_;
}

}  // namespace weir::kubernetes
