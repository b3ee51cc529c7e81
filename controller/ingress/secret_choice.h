#pragma once

#include <memory>
#include <string>

#include "controller/ingress/config.h"
#include "controller/store/object.h"
#include "controller/translate/unit.h"
#include "controller/translate/view.h"

namespace weir::ingress {

// A Secret looked at as a certificate.
struct CertificateSecret {
  std::shared_ptr<const store::Secret> secret;  // null when missing
  // Lives with secret. Of a Secret that became broken it is the last good one; null when there is
  // none.
  const crypto::KeyPair* pair = nullptr;
  std::string reason;  // of the report when the Secret's own pair is missing or broken
  std::string problem;
};
CertificateSecret read_certificate(translate::View& view, std::string_view ns,
                                   std::string_view name);

// The name of the certificate that stands in where a host's own cannot be used: the Secret of
// --default-ssl-certificate while it is good, else "default".
std::string default_certificate_name(const Config& config, translate::View& view);

translate::UnitKey certificate_unit(std::string_view ns, std::string_view name);

}  // namespace weir::ingress
