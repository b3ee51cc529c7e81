#include "controller/ingress/secret_choice.h"

namespace weir::ingress {

CertificateSecret read_certificate(translate::View& view, std::string_view ns,
                                   std::string_view name) {
  CertificateSecret out;
  out.secret = view.get<store::Secret>(store::Kind::kSecret, ns, name);
  if (out.secret == nullptr) {
    out.reason = "SecretNotFound";
    out.problem = "there is no Secret of that name";
  } else if (!out.secret->key_pair) {
    out.reason = "SecretInvalid";
    out.problem = "the Secret must have the keys tls.crt and tls.key";
  } else if (!out.secret->key_pair->ok()) {
    out.reason = "SecretInvalid";
    out.problem = "the Secret must hold a PEM certificate chain and its key: " +
                  out.secret->key_pair->error().text;
  } else {
    out.pair = &out.secret->key_pair->value();
  }
  if (out.pair == nullptr && out.secret != nullptr && out.secret->last_good != nullptr)
    out.pair = &out.secret->last_good->key_pair->value();
  return out;
}

std::string default_certificate_name(const Config& config, translate::View& view) {
  const NamePair flag = split_name(config.default_ssl_certificate);
  if (!flag.name.empty() && read_certificate(view, flag.ns, flag.name).pair != nullptr)
    return config.default_ssl_certificate;
  return std::string(kDefaultCertificate);
}

translate::UnitKey certificate_unit(std::string_view ns, std::string_view name) {
  return {translate::UnitType::kCertificate, std::string(ns) + "/" + std::string(name)};
}

}  // namespace weir::ingress
