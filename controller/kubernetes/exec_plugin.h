#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/json.h"
#include "common/base/result.h"

namespace weir::kubernetes {

// A program that a kubeconfig names for credentials (client.authentication.k8s.io, v1 and v1beta1).
// It is the user's own file, so it is run as it is written there.
struct ExecPlugin {
  std::string command;  // a path, or a name that is looked up in PATH
  std::vector<std::string> args;
  std::vector<std::pair<std::string, std::string>> env;  // beside the environment of this process
  std::string api_version;
  base::Json cluster;        // what the plugin is told of the cluster; null: nothing
  std::string install_hint;  // shown when the program is not there
  std::string where;         // "kubeconfig F: users[u].exec": stands before every error
};

struct ExecCredential {
  std::string token;  // empty, or both of the next are
  std::string client_cert_pem;
  std::string client_key_pem;
  std::optional<std::int64_t> expires;  // seconds since the epoch
};

// exec: the field of the kubeconfig. folder: of the kubeconfig, with '/' at its end or empty; a
// command with a '/' is relative to it.
//   errors: kInvalid naming the field; interactiveMode Always is refused: nobody could answer.
base::Result<ExecPlugin> read_exec_plugin(const base::Json& exec, const std::string& where,
                                          const std::string& folder);

// Runs it and reads the ExecCredential that it prints. Blocks for `patience` at most; then it is
// killed with what it started. Its standard error is ours, so that what it says is seen.
//   errors: kSystem: it cannot be started (with the install hint); kInvalid: it ended with a
//   status, printed no credential, more than 1 MiB, or one of another version; kTimeout.
base::Result<ExecCredential> run_exec_plugin(
    const ExecPlugin& plugin, std::chrono::milliseconds patience = std::chrono::seconds(60));

}  // namespace weir::kubernetes
