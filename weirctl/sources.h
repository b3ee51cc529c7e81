#pragma once

#include <string>

#include "common/base/flags.h"
#include "controller/admin/options.h"
#include "controller/kubernetes/config.h"
#include "weirctl/configuration.h"

namespace weir::weirctl {

// Where a command looks. By the first of these that the user names: a folder, a dump socket, a
// context or kubeconfig. Without any: the dump socket of this machine if there is one, else the
// cluster of the kubeconfig.
struct Place {
  std::string folder;
  std::string dump_socket;
  std::string kubeconfig;
  std::string context;
  // Whose flags (class, namespaces, …) the controller's translation is to have: a Deployment or
  // DaemonSet "NAMESPACE/NAME"; "none": the defaults; empty: the one with Weir's label.
  std::string controller;
  std::string timeout = "30s";
  std::string default_backend_service;  // of a folder
  std::string settings;                 // of a folder: "namespace/name"
};

void add_folder_flags(base::Flags& flags, Place& place);
void add_cluster_flags(base::Flags& flags, Place& place);

// Asks the place. as_plugin: the program runs as `kubectl weir`, so that the cluster is meant.
//   errors: what could not be reached, read or decoded, and by which flag or file.
base::Result<Configuration> read_place(const Place& place, bool as_plugin);

//   errors: kTimeout when the folder cannot be read within the timeout.
base::Result<Configuration> from_folder(const admin::Options& options,
                                        base::Duration patience = std::chrono::seconds(10));
// A folder as `up` serves it.
base::Result<Configuration> from_folder(const Place& place, const std::string& folder);
// The cluster's objects, read as the controller reads them and translated as it does. over: a
// folder whose objects stand over the cluster's as if they had been applied; empty: none.
//   errors: no kubeconfig or context, a credential plugin that fails, a server that does not
//   answer, no controller or several; kTimeout with what the source has said last.
base::Result<Configuration> from_cluster(const Place& place, const std::string& over = "");

// Access by --kubeconfig, KUBECONFIG or the usual file, with its credentials loaded.
base::Result<kubernetes::ClusterAccess> user_access(const std::string& kubeconfig,
                                                    const std::string& context);

}  // namespace weir::weirctl
