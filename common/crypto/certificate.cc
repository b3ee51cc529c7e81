#include "common/crypto/certificate.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <climits>
#include <ctime>
#include <optional>

#include "common/base/check.h"
#include "common/base/text.h"
#include "common/crypto/digest.h"
#include "common/crypto/openssl_ptr.h"
#include "common/crypto/pem_blocks.h"

namespace weir::crypto {
namespace {

constexpr int kSmallestRsaBits = 2048;  // what OpenSSL's security level 2 still serves
constexpr std::size_t kMostInChain = 32;

std::string openssl_reason() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  return reason == nullptr ? "not readable" : reason;
}

// Other blocks than certificates are passed over, as Go's and nginx's readers do.
base::Result<std::vector<X509Ptr>> read_chain(std::string_view pem) {
  auto blocks = read_pem_blocks(pem, "certificates", {PEM_STRING_X509, PEM_STRING_X509_OLD});
  if (!blocks.ok()) return std::move(blocks).error();
  std::vector<X509Ptr> chain;
  for (const PemBlock& block : blocks.value()) {
    const std::string place = "certificates: PEM block " + std::to_string(block.number) + ": ";
    const auto* at = reinterpret_cast<const unsigned char*>(block.der.data());
    X509Ptr certificate(d2i_X509(nullptr, &at, static_cast<long>(block.der.size())));
    if (certificate == nullptr) {
      return base::invalid(place + "not an X.509 certificate: " + openssl_reason());
    }
    chain.push_back(std::move(certificate));
    if (chain.size() > kMostInChain) return base::invalid(place + "accepted: at most 32");
  }
  if (chain.empty()) {
    return base::invalid("certificates: no certificate found; accepted: PEM, leaf first");
  }
  return chain;
}

base::Result<KeyPtr> read_key(std::string_view pem) {
  const BioPtr bio = reader_of(pem);
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  if (key != nullptr) return key;
  if (pem.find("ENCRYPTED") != std::string_view::npos) {
    return base::invalid("private key: it is encrypted; accepted: an unencrypted PEM key");
  }
  if (pem.find("PRIVATE KEY-----") == std::string_view::npos) {
    return base::invalid("private key: no key found; accepted: an unencrypted PEM key");
  }
  return base::invalid("private key: " + openssl_reason());
}

base::Result<std::string> type_of(EVP_PKEY* key) {
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_EC:
      return std::string("ec");
    case EVP_PKEY_ED25519:
      return std::string("ed25519");
    case EVP_PKEY_RSA:
      break;
    default:
      return base::invalid("private key: its type is not served; accepted: EC, RSA, Ed25519");
  }
  if (EVP_PKEY_get_bits(key) < kSmallestRsaBits) {
    return base::invalid("private key: RSA of " + std::to_string(EVP_PKEY_get_bits(key)) +
                         " bits; accepted: at least 2048");
  }
  return std::string("rsa");
}

base::Result<void> check_match(const std::vector<X509Ptr>& chain, EVP_PKEY* key) {
  for (std::size_t i = 0; i < chain.size(); ++i) {
    if (X509_check_private_key(chain[i].get(), key) != 1) continue;
    if (i == 0) return {};
    return base::invalid("certificates: not leaf first: the key belongs to certificate " +
                         std::to_string(i + 1));
  }
  return base::invalid("private key: does not match the first certificate");
}

std::string der_of(X509* certificate) {
  unsigned char* data = nullptr;
  const int size = i2d_X509(certificate, &data);
  WEIR_CHECK(size > 0);
  std::string out(reinterpret_cast<char*>(data), static_cast<std::size_t>(size));
  OPENSSL_free(data);
  return out;
}

std::string pkcs8_of(EVP_PKEY* key) {
  const Pkcs8Ptr info(EVP_PKEY2PKCS8(key));
  unsigned char* data = nullptr;
  const int size = info == nullptr ? 0 : i2d_PKCS8_PRIV_KEY_INFO(info.get(), &data);
  WEIR_CHECK(size > 0);
  std::string out(reinterpret_cast<char*>(data), static_cast<std::size_t>(size));
  OPENSSL_clear_free(data, static_cast<std::size_t>(size));
  return out;
}

// A name with a NUL inside is a known way to fool comparisons: it is left out.
void add_name(const ASN1_STRING* text, std::vector<std::string>& out) {
  const auto* data = reinterpret_cast<const char*>(ASN1_STRING_get0_data(text));
  const std::string_view name(data, static_cast<std::size_t>(ASN1_STRING_length(text)));
  if (name.empty() || name.find('\0') != std::string_view::npos) return;
  out.push_back(base::to_lower(name));
}

std::vector<std::string> names_of(X509* certificate) {
  std::vector<std::string> out;
  const NamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (names != nullptr) {
    for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
      const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
      if (name->type == GEN_DNS) add_name(name->d.dNSName, out);
    }
    return out;
  }
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at >= 0) add_name(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)), out);
  return out;
}

std::int64_t seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? static_cast<std::int64_t>(timegm(&parts)) : 0;
}

std::string serial_of(const X509* certificate) {
  const BignumPtr number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  char* text = number == nullptr ? nullptr : BN_bn2hex(number.get());
  if (text == nullptr) return "";
  std::string out = base::to_lower(text);
  OPENSSL_free(text);
  return out;
}

std::string issuer_of(const X509* certificate) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(out.get(), X509_get_issuer_name(certificate), 0, XN_FLAG_RFC2253);
  return text_of(out.get());
}

void describe(X509* leaf, KeyPair& out) {
  out.names = names_of(leaf);
  out.not_before = seconds_of(X509_get0_notBefore(leaf));
  out.not_after = seconds_of(X509_get0_notAfter(leaf));
  out.fingerprint = base::hex(sha256(out.chain.front()));
  out.serial = serial_of(leaf);
  out.issuer = issuer_of(leaf);
}

}  // namespace

base::Result<KeyPair> parse_key_pair(std::string_view certificates_pem, std::string_view key_pem) {
  const ErrorQueueGuard guard;
  if (certificates_pem.size() > INT_MAX || key_pem.size() > INT_MAX) {
    return base::invalid("certificates: over 2 GiB");
  }
  auto chain = read_chain(certificates_pem);
  if (!chain.ok()) return std::move(chain).error();
  ERR_clear_error();
  auto key = read_key(key_pem);
  if (!key.ok()) return std::move(key).error();
  auto type = type_of(key.value().get());
  if (!type.ok()) return std::move(type).error();
  if (auto match = check_match(chain.value(), key.value().get()); !match.ok()) {
    return std::move(match).error();
  }
  KeyPair out;
  for (const X509Ptr& certificate : chain.value()) out.chain.push_back(der_of(certificate.get()));
  out.key = pkcs8_of(key.value().get());
  out.key_type = std::move(type).value();
  describe(chain.value().front().get(), out);
  return out;
}

bool covers(const std::vector<std::string>& names, std::string_view host) {
  const std::size_t dot = host.find('.');
  for (const std::string& name : names) {
    if (!host.empty() && name == host) return true;
    if (!name.starts_with("*.") || dot == 0 || dot == std::string_view::npos) continue;
    if (std::string_view(name).substr(1) == host.substr(dot)) return true;
  }
  return false;
}

std::string random_bytes(std::size_t size) {
  std::string out(size, '\0');
  WEIR_CHECK(size <= INT_MAX &&
             RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(size)) == 1);
  return out;
}

void wipe(std::string& secret) {
  secret.resize(secret.capacity());  // bytes of an earlier, longer value too
  OPENSSL_cleanse(secret.data(), secret.size());
  secret.clear();
}

}  // namespace weir::crypto
