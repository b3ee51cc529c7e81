#include "common/model/trust.h"
#include "controller/ingress/builders.h"

// A Secret's ca.crt and ca.crl as a Trust. A broken one emits nothing: what names it verifies
// nothing, which closes it, and reports why.

namespace weir::ingress {

translate::UnitResult build_trust(const std::string& name, translate::View& view) {
  translate::UnitResult result;
  const NamePair parts = split_name(name);
  const auto secret = view.get<store::Secret>(store::Kind::kSecret, parts.ns, parts.name);
  if (secret == nullptr || !secret->trust || !secret->trust->ok()) return result;
  const crypto::TrustBundle& bundle = secret->trust->value();
  model::Trust trust;
  trust.name = name;
  trust.certificates = static_cast<std::uint32_t>(bundle.certificates.size());
  trust.crls = static_cast<std::uint32_t>(bundle.crls.size());
  std::vector<std::string> blobs = bundle.certificates;
  blobs.insert(blobs.end(), bundle.crls.begin(), bundle.crls.end());
  result.resources.push_back(model::make_resource(trust, std::move(blobs)));
  return result;
}

}  // namespace weir::ingress
