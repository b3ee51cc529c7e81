#include "dataplane/transport/tls_certificate.h"

#include <openssl/ssl.h>

#include "common/base/check.h"
#include "common/crypto/openssl_ptr.h"

namespace weir::transport {
namespace {

constexpr const char* kSuites13 =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* kSuites12 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kGroups = "X25519:P-256:P-384";

// Naming the type saves OpenSSL from trying every decoder: a third of the time.
crypto::KeyPtr parse_key(const CertificateEntry& entry) {
  const std::string& type = entry.facts.key_type;
  const int id = type == "rsa" ? EVP_PKEY_RSA : type == "ed25519" ? EVP_PKEY_ED25519 : EVP_PKEY_EC;
  const unsigned char* at = crypto::bytes_of(entry.key);
  return crypto::KeyPtr(d2i_PrivateKey(id, nullptr, &at, static_cast<long>(entry.key.size())));
}

}  // namespace

void set_common_options(ssl_ctx_st* context) {
  WEIR_CHECK(SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1);
  WEIR_CHECK(SSL_CTX_set_ciphersuites(context, kSuites13) == 1);
  WEIR_CHECK(SSL_CTX_set_cipher_list(context, kSuites12) == 1);
  WEIR_CHECK(SSL_CTX_set1_groups_list(context, kGroups) == 1);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // A chain is sent as it came: OpenSSL would try to complete one of a leaf alone at each
  // handshake.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
}

bool use_certificate(ssl_ctx_st* context, const CertificateEntry& entry) {
  if (entry.chain.empty()) return false;
  const crypto::X509Ptr leaf = crypto::parse_certificate(entry.chain.front());
  const crypto::KeyPtr key = parse_key(entry);
  if (leaf == nullptr || key == nullptr) return false;
  if (X509_check_private_key(leaf.get(), key.get()) != 1) return false;
  if (SSL_CTX_use_certificate(context, leaf.get()) != 1) return false;
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1) return false;
  SSL_CTX_clear_chain_certs(context);
  for (std::size_t i = 1; i < entry.chain.size(); ++i) {
    const crypto::X509Ptr link = crypto::parse_certificate(entry.chain[i]);
    if (link == nullptr || SSL_CTX_add1_chain_cert(context, link.get()) != 1) return false;
  }
  return true;
}

}  // namespace weir::transport
