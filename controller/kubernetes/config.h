#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "controller/kubernetes/exec_plugin.h"

namespace weir::kubernetes {

// How to reach one API server and who we are to it. Files are named where the cluster rotates them.
struct ClusterAccess {
  std::string server;           // "https://10.96.0.1:443", no slash at the end
  std::string ca_pem;           // empty and no ca_file: the system's certificates
  std::string ca_file;          // read anew for each new connection setting; wins over ca_pem
  std::string client_cert_pem;  // with client_key_pem; empty: no client certificate
  std::string client_key_pem;
  std::string token;       // bearer token
  std::string token_file;  // read anew at least every 60 s; wins over token
  std::string
      tls_server_name;    // name in the server's certificate, when it is not the host of `server`
  bool insecure = false;  // the server's certificate is not checked
  std::string ns = "default";      // namespace of the context, or of the pod
  std::optional<ExecPlugin> exec;  // gives token or client certificate; load_credentials runs it
  std::optional<std::int64_t> expires;  // of what it gave, seconds since the epoch
  std::string context;                  // of the kubeconfig; empty: none
};

using Environment = std::map<std::string, std::string>;
Environment process_environment();

// Access for a pod: KUBERNETES_SERVICE_HOST and _PORT, and the files of its service account below
// root + "/var/run/secrets/kubernetes.io/serviceaccount".
//   errors: kInvalid; the text names the variable or the file that is missing.
base::Result<ClusterAccess> in_cluster_access(const Environment& environment,
                                              const std::string& root = "");

// Access by a kubeconfig file. context: empty for its current-context. Relative file names are
// relative to the kubeconfig. Of several files the first that names a thing counts, as in kubectl;
// files that are not there are passed over as long as one is.
//   errors: kInvalid, with file and field; an auth-provider plugin, username/password and proxy-url
//           are refused by name. A credential plugin is read, not run.
base::Result<ClusterAccess> kubeconfig_access(const std::vector<std::string>& paths,
                                              const std::string& context = "");
base::Result<ClusterAccess> kubeconfig_access(const std::string& path,
                                              const std::string& context = "");

// Names of the contexts, sorted; of files that cannot be read none.
std::vector<std::string> kubeconfig_contexts(const std::vector<std::string>& paths);

// The files of KUBECONFIG (separated by ':'), else HOME/.kube/config; empty without both.
std::vector<std::string> kubeconfig_files(const Environment& environment);

// Runs access.exec, if there is one, and takes its credentials. Blocks while it runs.
//   errors: those of run_exec_plugin().
base::Result<void> load_credentials(ClusterAccess& access);

// The bearer token of a request, from a text or a file. Re-reads token_file when it is older than
// 60 s or after refuse(). A file that cannot be read leaves the last token. One thread.
class BearerToken {
 public:
  BearerToken(std::string token, std::string token_file)
      : token_(std::move(token)), file_(std::move(token_file)) {}
  const std::string& get(base::TimePoint now);
  void refuse() { read_at_.reset(); }  // the server said 401

 private:
  std::string token_;
  std::string file_;
  std::optional<base::TimePoint> read_at_;
};

}  // namespace weir::kubernetes
