#pragma once

#include <set>
#include <string>

namespace weir::e2e {

// What may be done with what: "patch networking.k8s.io/ingresses/status", the core group as "core".
using Verbs = std::set<std::string>;

// Every verb that Weir's service account has used so far, from the API server's audit log in the
// cluster's folder; discovery and health requests, which name no resource, are left out.
Verbs used_verbs(const std::string& folder);

// What the roles of deploy/rbac.yaml allow.
Verbs allowed_verbs();

}  // namespace weir::e2e
