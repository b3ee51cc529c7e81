#include "controller/kubernetes/config.h"

#include <unistd.h>

#include <fstream>
#include <set>
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

// One file of those that make a kubeconfig.
struct KubeconfigFile {
  std::string path;
  Json config;
  // Of the names in it, relative to it.
  std::string folder() const { return path.substr(0, path.rfind('/') + 1); }
};

// An entry of a list, and the file that it stands in.
struct Entry {
  const KubeconfigFile* file = nullptr;  // null: it is in none
  const Json* value = nullptr;
};

// Reads the fields of kubeconfig files with the file's name in every error.
class KubeconfigReader {
 public:
  explicit KubeconfigReader(const std::vector<KubeconfigFile>& files)
      : files_(files), at_(&files.front()) {}

  base::Result<ClusterAccess> read(const std::string& wanted) {
    out_.context = wanted.empty() ? current_context() : wanted;
    if (out_.context.empty()) return wrong("current-context is empty; name a context");
    const Entry context = named("contexts", "context", out_.context);
    if (context.file == nullptr || context.value->is_null())
      return wrong("context \"" + out_.context + "\" is not in contexts");
    at_ = context.file;
    const std::string cluster_name = (*context.value)["cluster"].as_string();
    const std::string user_name = (*context.value)["user"].as_string();
    if (!(*context.value)["namespace"].as_string().empty())
      out_.ns = (*context.value)["namespace"].as_string();
    const Entry cluster = named("clusters", "cluster", cluster_name);
    if (cluster.file == nullptr || cluster.value->is_null())
      return wrong("cluster \"" + cluster_name + "\" is not in clusters");
    const Entry user = named("users", "user", user_name);
    if (!user_name.empty() && user.file == nullptr)
      return wrong("user \"" + user_name + "\" is not in users");
    at_ = cluster.file;
    if (auto done = read_cluster(*cluster.value, "clusters[" + cluster_name + "]"); !done)
      return done.error();
    if (user.file == nullptr) return out_;
    at_ = user.file;
    if (auto done = read_user(*user.value, "users[" + user_name + "]"); !done) return done.error();
    if (auto done = read_exec(*user.value, *cluster.value, "users[" + user_name + "]"); !done)
      return done.error();
    return out_;
  }

 private:
  base::Error wrong(const std::string& reason) const {
    return base::invalid("kubeconfig " + at_->path + ": " + reason);
  }
  std::string beside(const std::string& name) const {
    return name.empty() || name.front() == '/' ? name : at_->folder() + name;
  }

  Entry named(std::string_view list, std::string_view kind, std::string_view name) const {
    for (const KubeconfigFile& file : files_) {
      for (const Json& one : file.config[list].items()) {
        if (one["name"].as_string() == name) return {&file, &one[kind]};
      }
    }
    return {};
  }

  std::string current_context() const {
    for (const KubeconfigFile& file : files_) {
      if (const std::string& name = file.config["current-context"].as_string(); !name.empty())
        return name;
    }
    return "";
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
    if (user.has("auth-provider"))
      return wrong(where +
                   ".auth-provider: Kubernetes has dropped it; use exec, a token or a client "
                   "certificate");
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

  // What stands in the file wins over the plugin, as in kubectl.
  base::Result<void> read_exec(const Json& user, const Json& cluster, const std::string& where) {
    if (!user.has("exec") || !out_.token.empty() || !out_.token_file.empty() ||
        !out_.client_cert_pem.empty())
      return {};
    auto plugin = read_exec_plugin(user["exec"], "kubeconfig " + at_->path + ": " + where + ".exec",
                                   at_->folder());
    if (!plugin.ok()) return std::move(plugin).error();
    out_.exec = std::move(plugin).value();
    if (user["exec"]["provideClusterInfo"].as_bool()) out_.exec->cluster = exec_cluster(cluster);
    return {};
  }

  Json exec_cluster(const Json& cluster) const {
    Json out = Json::object();
    out.set("server", out_.server);
    if (!out_.tls_server_name.empty()) out.set("tls-server-name", out_.tls_server_name);
    if (out_.insecure) out.set("insecure-skip-tls-verify", true);
    std::string pem = out_.ca_pem;
    if (!out_.ca_file.empty()) {
      if (auto text = read_text(out_.ca_file); text.ok()) pem = std::move(text).value();
    }
    if (!pem.empty()) out.set("certificate-authority-data", base::base64_encode(pem));
    for (const Json& one : cluster["extensions"].items()) {
      if (one["name"].as_string() == "client.authentication.k8s.io/exec")
        out.set("config", one["extension"]);
    }
    return out;
  }

  const std::vector<KubeconfigFile>& files_;
  const KubeconfigFile* at_;  // the one that is read now
  ClusterAccess out_;
};

base::Result<KubeconfigFile> read_kubeconfig(const std::string& path) {
  auto text = read_text(path);
  if (!text) return std::move(text).error().within("kubeconfig");
  auto documents = parse_yaml(text.value());
  if (!documents) return std::move(documents).error().within("kubeconfig " + path);
  if (documents.value().empty()) return base::invalid("kubeconfig " + path + ": empty");
  return KubeconfigFile{path, std::move(documents.value().front().value)};
}

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

base::Result<ClusterAccess> kubeconfig_access(const std::vector<std::string>& paths,
                                              const std::string& context) {
  std::vector<KubeconfigFile> files;
  base::Error first = base::invalid("kubeconfig: no file is named");
  for (const std::string& path : paths) {
    auto file = read_kubeconfig(path);
    if (file.ok()) {
      files.push_back(std::move(file).value());
      continue;
    }
    if (::access(path.c_str(), F_OK) == 0) return std::move(file).error();
    if (path == paths.front()) first = std::move(file).error();
  }
  if (files.empty()) return first;
  return KubeconfigReader(files).read(context);
}

base::Result<ClusterAccess> kubeconfig_access(const std::string& path, const std::string& context) {
  return kubeconfig_access(std::vector<std::string>{path}, context);
}

std::vector<std::string> kubeconfig_contexts(const std::vector<std::string>& paths) {
  std::set<std::string> out;
  for (const std::string& path : paths) {
    const auto file = read_kubeconfig(path);
    if (!file.ok()) continue;
    for (const Json& one : file.value().config["contexts"].items())
      out.insert(one["name"].as_string());
  }
  return {out.begin(), out.end()};
}

std::vector<std::string> kubeconfig_files(const Environment& environment) {
  std::vector<std::string> out;
  if (const auto list = environment.find("KUBECONFIG"); list != environment.end()) {
    for (const std::string_view one : base::split(list->second, ':')) {
      if (!one.empty()) out.emplace_back(one);
    }
  }
  if (const auto home = environment.find("HOME"); out.empty() && home != environment.end())
    out.push_back(home->second + "/.kube/config");
  return out;
}

base::Result<void> load_credentials(ClusterAccess& access) {
  if (!access.exec) return {};
  auto credential = run_exec_plugin(*access.exec);
  if (!credential.ok()) return std::move(credential).error();
  access.token = std::move(credential.value().token);
  access.client_cert_pem = std::move(credential.value().client_cert_pem);
  access.client_key_pem = std::move(credential.value().client_key_pem);
  access.expires = credential.value().expires;
  return {};
}

const std::string& BearerToken::get(base::TimePoint now) {
  if (file_.empty() || (read_at_ && now - *read_at_ < kTokenAge)) return token_;
  read_at_ = now;
  auto text = read_text(file_);
  if (text && !base::trim(text.value()).empty()) token_ = base::trim(text.value());
  return token_;
}

}  // namespace weir::kubernetes
