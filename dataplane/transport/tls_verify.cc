#include "dataplane/transport/tls_verify.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "common/base/check.h"
#include "common/base/ip.h"
#include "common/base/log.h"
#include "common/crypto/openssl_ptr.h"

namespace weir::transport {
namespace {

// More would not fit into what clients are known to read.
constexpr std::size_t kMostSubjectBytes = 8 * 1024;

bool add_authority(Authorities& to, const std::string& der, std::size_t& subject_bytes) {
  const crypto::X509Ptr x509 = crypto::parse_certificate(der);
  if (x509 == nullptr || X509_STORE_add_cert(to.store.get(), x509.get()) != 1) return false;
  const X509_NAME* subject = X509_get_subject_name(x509.get());
  subject_bytes += static_cast<std::size_t>(std::max(0, i2d_X509_NAME(subject, nullptr)));
  if (to.subjects == nullptr || subject_bytes > kMostSubjectBytes) {
    to.subjects.reset();
    return true;
  }
  X509_NAME* copy = X509_NAME_dup(subject);
  WEIR_CHECK(copy != nullptr && sk_X509_NAME_push(to.subjects.get(), copy) > 0);
  return true;
}

bool add_crl(Authorities& to, const std::string& der) {
  const crypto::CrlPtr crl = crypto::parse_crl(der);
  return crl != nullptr && X509_STORE_add_crl(to.store.get(), crl.get()) == 1;
}

std::unique_ptr<Authorities> parse(const TrustEntry& trust) {
  auto out = std::make_unique<Authorities>();
  out->store.reset(X509_STORE_new());
  out->subjects.reset(sk_X509_NAME_new_null());
  WEIR_CHECK(out->store != nullptr && out->subjects != nullptr);
  std::size_t subject_bytes = 0;
  bool good = !trust.certificates.empty();
  for (const std::string& der : trust.certificates)
    good = good && add_authority(*out, der, subject_bytes);
  for (const std::string& der : trust.crls) good = good && add_crl(*out, der);
  // Every issuer of the chain must have a list that is valid now: without one nothing is known of
  // its certificates.
  if (!trust.crls.empty()) {
    X509_STORE_set_flags(out->store.get(), X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  }
  if (good) return out;
  base::log_warn("trust bundle cannot be used", {{"hash", trust.hash}});
  ERR_clear_error();
  return nullptr;
}

// The errors that mean only: nobody whom we know vouches for it.
bool is_unknown_authority(long error) {
  return error == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ||
         error == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
         error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
         error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT || error == X509_V_ERR_CERT_UNTRUSTED ||
         error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE;
}

std::string text_of(const X509_NAME* name) {
  const crypto::BioPtr out(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253);
  return crypto::text_of(out.get());
}

std::string der_of(X509* x509) {
  unsigned char* data = nullptr;
  const int size = i2d_X509(x509, &data);
  if (size <= 0) return {};
  std::string out(reinterpret_cast<char*>(data), static_cast<std::size_t>(size));
  OPENSSL_free(data);
  return out;
}

}  // namespace

void StoreFree::operator()(x509_store_st* store) const { X509_STORE_free(store); }
void NamesFree::operator()(stack_st_X509_NAME* names) const {
  sk_X509_NAME_pop_free(names, X509_NAME_free);
}

const Authorities* TrustStores::find(const TrustEntry& trust) {
  const auto* const found = parsed_.find(trust.hash);
  return found != nullptr ? found->get() : parsed_.add(trust.hash, parse(trust)).get();
}

void ask_for_certificate(ssl_st* ssl, const ClientPolicy& policy, TrustStores& stores) {
  SSL_set_verify(ssl, SSL_VERIFY_PEER, nullptr);
  SSL_set_verify_depth(ssl, static_cast<int>(policy.rule.depth));
  const Authorities* found = policy.trust == nullptr ? nullptr : stores.find(*policy.trust);
  if (found == nullptr) return;  // the context's own store is empty: nothing verifies
  WEIR_CHECK(SSL_set1_verify_cert_store(ssl, found->store.get()) == 1);
  if (found->subjects == nullptr) return;
  SSL_set_client_CA_list(ssl, SSL_dup_CA_list(found->subjects.get()));
}

int note_verification(x509_store_ctx_st* context, void*) {
  // The first error ends it and is what the session keeps; without one it is X509_V_OK.
  if (X509_verify_cert(context) != 1 && X509_STORE_CTX_get_error(context) == X509_V_OK) {
    X509_STORE_CTX_set_error(context, X509_V_ERR_UNSPECIFIED);
  }
  ERR_clear_error();
  return 1;
}

ClientCertificate read_client_certificate(ssl_st* ssl, ClientPolicyPtr policy) {
  ClientCertificate out;
  out.policy = std::move(policy);
  X509* leaf = SSL_get0_peer_certificate(ssl);
  if (leaf == nullptr) return out;
  long error = SSL_get_verify_result(ssl);
  // A resumed session was verified when it began.
  const bool expired = X509_cmp_current_time(X509_get0_notAfter(leaf)) <= 0;
  if (error == X509_V_OK && expired) error = X509_V_ERR_CERT_HAS_EXPIRED;
  using Outcome = ClientCertificate::Outcome;
  if (error == X509_V_OK) {
    out.outcome = Outcome::kVerified;
  } else {
    out.outcome =
        is_unknown_authority(error) && !expired ? Outcome::kUnknownAuthority : Outcome::kRefused;
    out.reason = X509_verify_cert_error_string(error);
  }
  out.subject = text_of(X509_get_subject_name(leaf));
  out.issuer = text_of(X509_get_issuer_name(leaf));
  out.der = der_of(leaf);
  return out;
}

bool has_name(x509_store_ctx_st* context, const std::vector<std::string>& names) {
  X509* leaf = X509_STORE_CTX_get0_cert(context);
  constexpr unsigned kFlags =
      X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
  return std::any_of(names.begin(), names.end(), [leaf](const std::string& name) {
    if (base::is_ip_literal(name)) {
      return X509_check_ip_asc(leaf, name.c_str(), 0) == 1;
    }
    return !name.empty() && X509_check_host(leaf, name.data(), name.size(), kFlags, nullptr) == 1;
  });
}

}  // namespace weir::transport
