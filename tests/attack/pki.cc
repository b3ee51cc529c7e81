#include "tests/attack/pki.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <atomic>

#include "common/base/check.h"
#include "common/crypto/certificate.h"

namespace weir::attack {
namespace {

constexpr long kDay = 86'400;

template <typename Write>
std::string written(Write write) {
  BIO* bio = BIO_new(BIO_s_mem());
  WEIR_CHECK(write(bio) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string out(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return out;
}

void extend(X509* x509, int nid, const std::string& value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
  WEIR_CHECK(extension != nullptr && X509_add_ext(x509, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

long next_serial() {
  static std::atomic<long> serial{1000};
  return ++serial;
}

}  // namespace

void Identity::KeyFree::operator()(evp_pkey_st* key) const { EVP_PKEY_free(key); }
void Identity::X509Free::operator()(x509_st* x509) const { X509_free(x509); }

Identity::Identity(const Ask& ask, const Identity* issuer)
    : issuer_(issuer), key_(ask.rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256")), x509_(X509_new()) {
  WEIR_CHECK(key_ != nullptr && x509_ != nullptr);
  sign(ask);
}

void Identity::sign(const Ask& ask) {
  X509* x509 = x509_.get();
  X509_set_version(x509, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), next_serial());
  X509_gmtime_adj(X509_getm_notBefore(x509), ask.from_days * kDay);
  X509_gmtime_adj(X509_getm_notAfter(x509), ask.until_days * kDay);
  X509_set_pubkey(x509, key_.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(ask.common_name.c_str()), -1,
                             -1, 0);
  X509_set_issuer_name(x509, X509_get_subject_name(issuer_ == nullptr ? x509 : issuer_->x509()));
  extend(x509, NID_basic_constraints, ask.authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  if (ask.authority) extend(x509, NID_key_usage, "critical,keyCertSign,cRLSign");
  if (!ask.usage.empty()) extend(x509, NID_ext_key_usage, ask.usage);
  if (!ask.sans.empty()) extend(x509, NID_subject_alt_name, ask.sans);
  WEIR_CHECK(X509_sign(x509, issuer_ == nullptr ? key_.get() : issuer_->key(), EVP_sha256()) > 0);
}

std::string Identity::pem() const {
  return written([this](BIO* bio) { return PEM_write_bio_X509(bio, x509()); });
}

std::string Identity::der() const {
  return written([this](BIO* bio) { return i2d_X509_bio(bio, x509()); });
}

std::string Identity::key_pem() const {
  return written([this](BIO* bio) {
    return PEM_write_bio_PKCS8PrivateKey(bio, key(), nullptr, nullptr, 0, nullptr, nullptr);
  });
}

namespace {

X509_CRL* make_crl(const Identity& authority, const std::vector<const Identity*>& revoked,
                   int until_days) {
  X509_CRL* crl = X509_CRL_new();
  X509_CRL_set_version(crl, X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name(crl, X509_get_subject_name(authority.x509()));
  ASN1_TIME* last = X509_gmtime_adj(nullptr, -2 * kDay);
  ASN1_TIME* next = X509_gmtime_adj(nullptr, until_days * kDay);
  X509_CRL_set1_lastUpdate(crl, last);
  X509_CRL_set1_nextUpdate(crl, next);
  for (const Identity* one : revoked) {
    X509_REVOKED* entry = X509_REVOKED_new();
    X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(one->x509()));
    X509_REVOKED_set_revocationDate(entry, last);
    WEIR_CHECK(X509_CRL_add0_revoked(crl, entry) == 1);
  }
  ASN1_TIME_free(last);
  ASN1_TIME_free(next);
  WEIR_CHECK(X509_CRL_sign(crl, authority.key(), EVP_sha256()) > 0);
  return crl;
}

}  // namespace

std::string Identity::crl_der(const std::vector<const Identity*>& revoked, int until_days) const {
  X509_CRL* crl = make_crl(*this, revoked, until_days);
  std::string out = written([crl](BIO* bio) { return i2d_X509_CRL_bio(bio, crl); });
  X509_CRL_free(crl);
  return out;
}

std::string Identity::crl_pem(const std::vector<const Identity*>& revoked, int until_days) const {
  X509_CRL* crl = make_crl(*this, revoked, until_days);
  std::string out = written([crl](BIO* bio) { return PEM_write_bio_X509_CRL(bio, crl); });
  X509_CRL_free(crl);
  return out;
}

model::ResourcePtr Identity::certificate(const std::string& name,
                                         const std::vector<const Identity*>& links) const {
  std::string chain = pem();
  for (const Identity* link : links) chain += link->pem();
  auto pair = crypto::parse_key_pair(chain, key_pem());
  WEIR_CHECK(pair.ok());
  model::Certificate facts;
  facts.name = name;
  facts.names = pair.value().names;
  facts.not_after = pair.value().not_after;
  facts.fingerprint = pair.value().fingerprint;
  facts.key_type = pair.value().key_type;
  std::vector<std::string> blobs = pair.value().chain;
  blobs.push_back(pair.value().key);
  return model::make_resource(facts, std::move(blobs));
}

model::ResourcePtr Identity::trust(const std::string& name,
                                   const std::vector<std::string>& crls) const {
  model::Trust trust;
  trust.name = name;
  trust.certificates = 1;
  trust.crls = static_cast<std::uint32_t>(crls.size());
  std::vector<std::string> blobs = {der()};
  blobs.insert(blobs.end(), crls.begin(), crls.end());
  return model::make_resource(trust, std::move(blobs));
}

}  // namespace weir::attack
