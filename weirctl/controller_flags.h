#pragma once

#include <string>

#include "controller/admin/options.h"
#include "controller/kubernetes/api_client.h"

namespace weir::weirctl {

// GET path; blocks until the answer is there.
//   errors: those of ApiClient::call; kTimeout.
base::Result<kubernetes::ApiResponse> ask_api(kubernetes::ApiClient& client,
                                              const std::string& path, base::Duration patience);

// The flags that a controller runs with, so that what is translated here is translated as there.
struct ControllerFlags {
  admin::Options options;
  std::string from;  // for people: "the flags of Deployment weir/weir"
};

// which: "NAMESPACE/NAME" of a Deployment or DaemonSet, "none", or empty: the only one that has
// the label app.kubernetes.io/name=weir. Without one, or where they may not be read, the defaults,
// which `from` says.
//   errors: it is not there, several are, or its arguments are none of this version.
base::Result<ControllerFlags> controller_flags(kubernetes::ApiClient& client,
                                               const std::string& which, base::Duration patience);

}  // namespace weir::weirctl
