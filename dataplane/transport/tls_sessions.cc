#include "dataplane/transport/tls_sessions.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>

#include "common/base/check.h"
#include "dataplane/transport/tls_certificate.h"

namespace weir::transport {
namespace {

// Expired since, or a peer that must not be believed any more, is not resumed.
bool is_good(SSL_SESSION* session) {
  if (SSL_SESSION_is_resumable(session) != 1) return false;
  const X509* peer = SSL_SESSION_get0_peer(session);
  return peer == nullptr || X509_cmp_current_time(X509_get0_notAfter(peer)) > 0;
}

}  // namespace

void UpstreamSessionFree::operator()(ssl_session_st* session) const { SSL_SESSION_free(session); }

void SessionStore::put(const std::string& key, Session session) {
  order_.push_front(Entry{key, std::move(session)});
  by_key_.emplace(key, order_.begin());
  if (by_key_.count(key) > kMostOfOne) {
    const auto oldest = std::find_if(order_.rbegin(), order_.rend(),
                                     [&key](const Entry& one) { return one.key == key; });
    drop(std::prev(oldest.base()));
  }
  if (order_.size() > kMost) drop(std::prev(order_.end()));
}

Session SessionStore::take(const std::string& key) {
  for (;;) {
    const auto [first, last] = by_key_.equal_range(key);
    if (first == last) return nullptr;
    Session session = std::move(first->second->session);
    order_.erase(first->second);
    by_key_.erase(first);
    if (is_good(session.get())) return session;
  }
}

void SessionStore::drop(Place at) {
  const auto [first, last] = by_key_.equal_range(at->key);
  by_key_.erase(std::find_if(first, last, [at](const auto& one) { return one.second == at; }));
  order_.erase(at);
}

struct UpstreamCallbacks {
  static UpstreamPeer& peer_of(const SSL* ssl) {
    return *static_cast<UpstreamPeer*>(SSL_get_app_data(ssl));
  }

  static int on_new_session(SSL* ssl, SSL_SESSION* session) {
    UpstreamPeer& peer = peer_of(ssl);
    peer.contexts.store_.put(peer.key, Session(session));
    return 1;  // it is ours
  }

  static int skip(X509_STORE_CTX*, void*) { return 1; }

  static int verify(X509_STORE_CTX* context, void*) {
    const int at = SSL_get_ex_data_X509_STORE_CTX_idx();
    const auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(context, at));
    if (X509_verify_cert(context) != 1) return 0;
    if (has_name(context, peer_of(ssl).policy->names)) return 1;
    X509_STORE_CTX_set_error(context, X509_V_ERR_HOSTNAME_MISMATCH);
    return 0;
  }
};

// Returns what cannot be honoured; empty: nothing.
std::string ClientContexts::configure(ssl_ctx_st* context, const UpstreamPolicy& policy) {
  if (!policy.tls12) SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  if (!policy.tls13) SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
  if (!policy.ciphers.empty() && SSL_CTX_set_cipher_list(context, policy.ciphers.c_str()) != 1) {
    return "ciphers: '" + policy.ciphers + "' names no cipher that is known";
  }
  if (!policy.alpn.empty()) {
    SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(policy.alpn.data()),
                            static_cast<unsigned>(policy.alpn.size()));
  }
  if (policy.certificate != nullptr && !use_certificate(context, *policy.certificate)) {
    return "client certificate " + policy.certificate->facts.name + " cannot be used";
  }
  if (!policy.verify) {
    SSL_CTX_set_cert_verify_callback(context, &UpstreamCallbacks::skip, nullptr);
    return {};
  }
  const Authorities* trust = trusts_.find(*policy.trust);
  if (trust == nullptr) return "the trust bundle cannot be read";
  WEIR_CHECK(SSL_CTX_set1_verify_cert_store(context, trust->store.get()) == 1);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_verify_depth(context, policy.depth);
  SSL_CTX_set_cert_verify_callback(context, &UpstreamCallbacks::verify, nullptr);
  return {};
}

ClientContexts::Entry ClientContexts::build(const UpstreamPolicy& policy) {
  Entry out{SslContext(SSL_CTX_new(TLS_client_method())), policy.broken};
  SSL_CTX* context = out.context.get();
  WEIR_CHECK(context != nullptr);
  set_common_options(context);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
  SSL_CTX_sess_set_new_cb(context, &UpstreamCallbacks::on_new_session);
  if (out.broken.empty()) out.broken = configure(context, policy);
  ERR_clear_error();
  return out;
}

ClientContexts::Entry& ClientContexts::find(const UpstreamPolicy& policy) {
  Entry* const found = made_.find(policy.id);
  return found != nullptr ? *found : made_.add(policy.id, build(policy));
}

void ClientContexts::trim() {
  made_.drop_unused();
  trusts_.trim();
}

ClientContexts::Made ClientContexts::make(const UpstreamPolicy& policy) {
  Entry& entry = find(policy);
  return {SslPtr(SSL_new(entry.context.get())), entry.broken};
}

void ClientContexts::attach(ssl_st* ssl, UpstreamPeer& peer) {
  SSL_set_app_data(ssl, &peer);
  SSL_set_connect_state(ssl);
  const std::string& name = peer.policy->server_name;
  if (!name.empty()) WEIR_CHECK(SSL_set_tlsext_host_name(ssl, name.c_str()) == 1);
  if (const Session session = store_.take(peer.key)) SSL_set_session(ssl, session.get());
}

void ClientContexts::keep(ssl_st* ssl, const UpstreamPeer& peer) {
  if (SSL_version(ssl) >= TLS1_3_VERSION || SSL_session_reused(ssl) != 1) return;
  store_.put(peer.key, Session(SSL_get1_session(ssl)));
}

}  // namespace weir::transport
