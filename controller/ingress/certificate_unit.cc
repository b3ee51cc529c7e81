#include "common/model/certificate.h"
#include "controller/ingress/builders.h"
#include "controller/ingress/secret_choice.h"

// A Secret as a Certificate. A broken one that never was good emits nothing: whoever named it
// serves the default. Who named it reports why, in both cases.

namespace weir::ingress {

translate::UnitResult build_certificate(const std::string& name, translate::View& view) {
  translate::UnitResult result;
  const NamePair parts = split_name(name);
  const CertificateSecret found = read_certificate(view, parts.ns, parts.name);
  if (found.pair == nullptr) return result;
  model::Certificate certificate;
  certificate.name = name;
  certificate.names = found.pair->names;
  certificate.not_after = found.pair->not_after;
  certificate.fingerprint = found.pair->fingerprint;
  certificate.key_type = found.pair->key_type;
  std::vector<std::string> blobs = found.pair->chain;
  blobs.push_back(found.pair->key);
  result.resources.push_back(model::make_resource(certificate, std::move(blobs)));
  return result;
}

}  // namespace weir::ingress
