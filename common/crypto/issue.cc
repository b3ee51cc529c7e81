#include "common/crypto/issue.h"

#include <openssl/pem.h>

#include <ctime>

#include "common/crypto/openssl_ptr.h"

namespace weir::crypto {
namespace {

constexpr long kHour = 3'600;  // clocks of two machines may differ

void set_serial(X509* certificate) {
  std::string bytes = random_bytes(16);
  bytes[0] = static_cast<char>((bytes[0] & 0x3f) | 0x40);  // positive, never shortened
  const BignumPtr number(BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()), nullptr));
  WEIR_CHECK(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr);
}

void set_subject(X509* certificate, const std::string& name) {
  constexpr std::size_t kLongestCommonName = 64;  // RFC 5280 ub-common-name
  X509_NAME* subject = X509_get_subject_name(certificate);
  const std::string common = name.substr(0, kLongestCommonName);
  WEIR_CHECK(X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
                                        reinterpret_cast<const unsigned char*>(common.data()),
                                        static_cast<int>(common.size()), -1, 0) == 1);
  WEIR_CHECK(X509_set_issuer_name(certificate, subject) == 1);
}

// Built from typed values: a name that holds a comma must not become two entries.
void add_alternative_names(X509* certificate, const std::vector<std::string>& names) {
  const NamesPtr list(GENERAL_NAMES_new());
  for (const std::string& name : names) {
    ASN1_IA5STRING* text = ASN1_IA5STRING_new();
    WEIR_CHECK(ASN1_STRING_set(text, name.data(), static_cast<int>(name.size())) == 1);
    GENERAL_NAME* entry = GENERAL_NAME_new();
    GENERAL_NAME_set0_value(entry, GEN_DNS, text);
    WEIR_CHECK(sk_GENERAL_NAME_push(list.get(), entry) > 0);
  }
  WEIR_CHECK(
      X509_add1_ext_i2d(certificate, NID_subject_alt_name, list.get(), 0, X509V3_ADD_DEFAULT) == 1);
}

void add_extension(X509* certificate, int nid, const char* value) {
  const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, nullptr, nid, value));
  WEIR_CHECK(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1);
}

// Without extensions and signature; its own issuer.
X509Ptr begin_certificate(EVP_PKEY* key, const std::string& name, std::int64_t now, long seconds) {
  X509Ptr certificate(X509_new());
  X509* raw = certificate.get();
  WEIR_CHECK(key != nullptr && raw != nullptr && X509_set_version(raw, X509_VERSION_3) == 1);
  set_serial(raw);
  constexpr long kDay = 24 * kHour;
  const std::time_t at = now;
  WEIR_CHECK(ASN1_TIME_adj(X509_getm_notBefore(raw), at, 0, -kHour) != nullptr);
  WEIR_CHECK(ASN1_TIME_adj(X509_getm_notAfter(raw), at, static_cast<int>(seconds / kDay),
                           seconds % kDay) != nullptr);
  set_subject(raw, name);
  WEIR_CHECK(X509_set_pubkey(raw, key) == 1);
  return certificate;
}

void add_leaf_extensions(X509* certificate, const std::vector<std::string>& names,
                         const char* usage) {
  add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(certificate, NID_key_usage, "critical,digitalSignature");
  add_extension(certificate, NID_ext_key_usage, usage);
  add_alternative_names(certificate, names);
}

PemPair signed_pair(X509* certificate, EVP_PKEY* key, EVP_PKEY* signer) {
  WEIR_CHECK(X509_sign(certificate, signer, EVP_sha256()) > 0);
  const BioPtr certificate_out(BIO_new(BIO_s_mem()));
  const BioPtr key_out(BIO_new(BIO_s_secmem()));
  WEIR_CHECK(PEM_write_bio_X509(certificate_out.get(), certificate) == 1);
  WEIR_CHECK(PEM_write_bio_PKCS8PrivateKey(key_out.get(), key, nullptr, nullptr, 0, nullptr,
                                           nullptr) == 1);
  return {text_of(certificate_out.get()), text_of(key_out.get())};
}

}  // namespace

PemPair make_self_signed(const std::vector<std::string>& names, std::int64_t now_seconds,
                         int days) {
  const ErrorQueueGuard guard;
  WEIR_CHECK(!names.empty());
  const KeyPtr key(EVP_EC_gen("P-256"));
  const X509Ptr certificate =
      begin_certificate(key.get(), names.front(), now_seconds, days * 24 * kHour);
  add_leaf_extensions(certificate.get(), names, "serverAuth");
  return signed_pair(certificate.get(), key.get(), key.get());
}

PemPair make_authority(const std::string& name, std::int64_t now_seconds, int days) {
  const ErrorQueueGuard guard;
  const KeyPtr key(EVP_EC_gen("P-256"));
  const X509Ptr certificate = begin_certificate(key.get(), name, now_seconds, days * 24 * kHour);
  add_extension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  add_extension(certificate.get(), NID_key_usage, "critical,keyCertSign");
  return signed_pair(certificate.get(), key.get(), key.get());
}

base::Result<PemPair> issue_certificate(const PemPair& authority, const std::string& name,
                                        std::int64_t now_seconds, std::chrono::seconds life) {
  const ErrorQueueGuard guard;
  const BioPtr certificate_in = reader_of(authority.certificate);
  const BioPtr key_in = reader_of(authority.key);
  const X509Ptr issuer(PEM_read_bio_X509(certificate_in.get(), nullptr, no_password, nullptr));
  const KeyPtr signer(PEM_read_bio_PrivateKey(key_in.get(), nullptr, no_password, nullptr));
  if (issuer == nullptr) return base::invalid("the authority's certificate is not readable PEM");
  if (signer == nullptr) return base::invalid("the authority's key is not readable PEM");
  if (X509_check_private_key(issuer.get(), signer.get()) != 1)
    return base::invalid("the authority's key is not that of its certificate");
  const KeyPtr key(EVP_EC_gen("P-256"));
  const X509Ptr certificate = begin_certificate(key.get(), name, now_seconds, life.count());
  WEIR_CHECK(X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer.get())) == 1);
  add_leaf_extensions(certificate.get(), {name}, "serverAuth,clientAuth");
  return signed_pair(certificate.get(), key.get(), signer.get());
}

}  // namespace weir::crypto
