#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/features/auth_tls.h"
#include "common/model/client_tls.h"
#include "controller/annotations/row.h"

namespace weir::annotations {

// What one Ingress says of client certificates, for the whole host.
struct HostClientTls {
  model::ClientTls rule;       // of the Host; off when denied
  features::AuthTls settings;  // of the policy that each route gets
  std::string deny_reason;     // not empty: every route of the host answers 503
  std::vector<translate::UnitKey> wants;
  std::vector<translate::Report> reports;
};

// Empty when the Ingress has no auth-tls-secret. input.path is not looked at.
std::optional<HostClientTls> read_client_tls(const FeatureInput& input);

// Tells the owner of an Ingress whose auth-tls-secret does not count because `winner`, an older
// Ingress of the host, has one.
std::optional<translate::Report> client_tls_conflict(const FeatureInput& loser,
                                                     const store::Ingress& winner);

}  // namespace weir::annotations
