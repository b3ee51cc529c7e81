#include "controller/publish/own_secrets.h"

#include "common/crypto/certificate.h"

namespace weir::publish {
base::Result<model::ResourcePtr> make_default_certificate(std::int64_t now_seconds) {
  crypto::PemPair pem =
      crypto::make_self_signed({"ingress.local"}, now_seconds, kDefaultCertificateDays);
  auto pair = crypto::parse_key_pair(pem.certificate, pem.key);
  crypto::wipe(pem.key);
  if (!pair.ok()) return std::move(pair).error().within("default certificate");
  model::Certificate certificate;
  certificate.name = "default";
  certificate.names = pair.value().names;
  certificate.not_after = pair.value().not_after;
  certificate.fingerprint = pair.value().fingerprint;
  certificate.key_type = pair.value().key_type;
  std::vector<std::string> blobs = pair.value().chain;
  blobs.push_back(pair.value().key);
  return model::make_resource(certificate, std::move(blobs));
}

}  // namespace weir::publish
