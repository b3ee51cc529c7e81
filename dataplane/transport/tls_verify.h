#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/base/lru_table.h"
#include "dataplane/transport/client_certificate.h"

struct ssl_st;
struct x509_store_st;
struct x509_store_ctx_st;
struct stack_st_X509_NAME;

namespace weir::transport {

struct StoreFree {
  void operator()(x509_store_st* store) const;
};
struct NamesFree {
  void operator()(stack_st_X509_NAME* names) const;
};

// A trust bundle as OpenSSL reads it.
struct Authorities {
  std::unique_ptr<x509_store_st, StoreFree> store;          // never null
  std::unique_ptr<stack_st_X509_NAME, NamesFree> subjects;  // to hint a client; null: too many
};

// The trust bundles of one worker, parsed at first use, in an LRU by content. One thread.
class TrustStores {
 public:
  static constexpr std::size_t kMost = 128;
  // Null: the bundle cannot be read (told once in the log); nothing must verify by it. Valid until
  // the next call.
  const Authorities* find(const TrustEntry& trust);
  void trim() { parsed_.drop_unused(); }  // drops those not asked for since the last call

 private:
  base::LruTable<std::unique_ptr<Authorities>> parsed_{kMost};
};

// Has a server's session ask for a certificate as the policy says. The handshake goes on whatever
// comes: read_client_certificate() tells.
void ask_for_certificate(ssl_st* ssl, const ClientPolicy& policy, TrustStores& stores);
// For SSL_CTX_set_cert_verify_callback on a server's context: verifies, lets the outcome stand in
// the session, and goes on.
int note_verification(x509_store_ctx_st* context, void*);
// After the handshake of a session that asked.
ClientCertificate read_client_certificate(ssl_st* ssl, ClientPolicyPtr policy);

// Whether the leaf has one of these names (DNS or IP literal) among its subject alternative names.
// A wildcard stands for one whole label; the common name does not count.
bool has_name(x509_store_ctx_st* context, const std::vector<std::string>& names);

}  // namespace weir::transport
