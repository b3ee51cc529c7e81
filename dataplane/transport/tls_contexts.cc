#include "dataplane/transport/tls_contexts.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>

#include "common/base/check.h"
#include "common/base/hash.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/crypto/digest.h"
#include "common/crypto/openssl_ptr.h"
#include "dataplane/transport/tls_certificate.h"

namespace weir::transport {
namespace {

// What this side speaks, most wanted first, as ALPN writes it (RFC 7301). Without HTTP/2 the first
// is left out.
constexpr std::string_view kProtocols = "\x02h2\x08http/1.1\x08http/1.0";
constexpr std::size_t kHttp2 = 3;

constexpr std::size_t kKeyName = 16;
constexpr std::size_t kKeyMac = 32;
constexpr std::size_t kKeyBytes = 80;

int on_alpn(SSL* ssl, const unsigned char** out, unsigned char* out_size,
            const unsigned char* offered, unsigned offered_size, void*) {
  const auto* contexts =
      static_cast<const TlsContexts*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  std::string_view ours = kProtocols;
  if (!contexts->offers_http2()) ours.remove_prefix(kHttp2);
  unsigned char* chosen = nullptr;
  const int outcome =
      SSL_select_next_proto(&chosen, out_size, crypto::bytes_of(ours),
                            static_cast<unsigned>(ours.size()), offered, offered_size);
  *out = chosen;
  // A client that speaks none of ours must not believe that it was understood.
  return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

// The name of the server_name extension in lower case; empty when there is none or it is unusable.
std::string server_name(SSL* ssl) {
  const unsigned char* data = nullptr;
  std::size_t size = 0;
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &data, &size) != 1) return "";
  // {u16 list length, u8 type 0, u16 name length, name} (RFC 6066 section 3)
  if (size < 5 || data[2] != TLSEXT_NAMETYPE_host_name) return "";
  const std::size_t length = static_cast<std::size_t>(data[3]) << 8 | data[4];
  if (length == 0 || length > 255 || length > size - 5) return "";
  const std::string_view name(reinterpret_cast<const char*>(data) + 5, length);
  return name.find('\0') == std::string_view::npos ? base::to_lower(name) : "";
}

}  // namespace

// Encrypts and decrypts session tickets with the replicas' common keys (RFC 5077 section 4).
struct TicketCallback {
  static int run(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                 EVP_MAC_CTX* mac, int encrypt) {
    auto* contexts = static_cast<TlsContexts*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    if (contexts->current_ == nullptr) return 0;
    const TicketKeySet& set = contexts->current_->chooser().tickets();
    if (encrypt != 0) return seal(set, name, iv, cipher, mac);
    for (std::size_t i = 0; i < set.keys.size(); ++i) {
      const std::string& key = set.keys[i];
      if (key.size() != kKeyBytes || std::memcmp(key.data(), name, kKeyName) != 0) continue;
      if (!arm(key, iv, cipher, mac, false)) return -1;
      // 2: opened, and the client gets a new one. A client of TLS 1.3 uses a ticket once (RFC 8446
      // appendix C.4): without a new one its next connection would be a full handshake.
      return i == 0 && SSL_version(ssl) < TLS1_3_VERSION ? 1 : 2;
    }
    return 0;
  }

  static int seal(const TicketKeySet& set, unsigned char* name, unsigned char* iv,
                  EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac) {
    if (set.keys.empty() || set.keys.front().size() != kKeyBytes) return 0;
    const std::string& key = set.keys.front();
    std::memcpy(name, key.data(), kKeyName);
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(aes_256_cbc())) != 1) return -1;
    return arm(key, iv, cipher, mac, true) ? 1 : -1;
  }

  // Looked up among the providers once, not at each ticket (provider(7), "Explicit fetching").
  static const EVP_CIPHER* aes_256_cbc() {
    static const EVP_CIPHER* const kind = EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr);
    WEIR_CHECK(kind != nullptr);
    return kind;
  }

  static bool arm(const std::string& key, const unsigned char* iv, EVP_CIPHER_CTX* cipher,
                  EVP_MAC_CTX* mac, bool encrypt) {
    const auto* raw = crypto::bytes_of(key);
    std::array<unsigned char, kKeyMac> secret;
    std::copy_n(raw + kKeyName, kKeyMac, secret.begin());
    char digest[] = "SHA256";
    const std::array<OSSL_PARAM, 3> parameters{
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, secret.data(), secret.size()),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};
    const bool ok = EVP_MAC_CTX_set_params(mac, parameters.data()) == 1 &&
                    EVP_CipherInit_ex(cipher, aes_256_cbc(), nullptr, raw + kKeyName + kKeyMac, iv,
                                      encrypt ? 1 : 0) == 1;
    OPENSSL_cleanse(secret.data(), secret.size());
    return ok;
  }
};

void SslContextFree::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

TlsContexts::TlsContexts() : start_(make()) {
  SSL_CTX_set_client_hello_cb(start_.get(), &TlsContexts::on_client_hello, this);
}

SslContext TlsContexts::make() {
  SslContext out(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* context = out.get();
  WEIR_CHECK(context != nullptr);
  set_common_options(context);
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_app_data(context, this);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, &TicketCallback::run);
  SSL_CTX_set_alpn_select_cb(context, &on_alpn, nullptr);
  SSL_CTX_set_cert_verify_callback(context, &note_verification, nullptr);
  return out;
}

bool TlsContexts::Entry::is_gone() const {
  return std::any_of(certificates.begin(), certificates.end(),
                     [](const auto& certificate) { return certificate.expired(); });
}

TlsContexts::Entry TlsContexts::build(const Certificates& certificates) {
  Entry out;
  out.certificates.assign(certificates.begin(), certificates.end());
  SslContext context = make();
  crypto::Sha256 identity;
  bool usable = false;
  for (const auto& entry : certificates) {
    ERR_clear_error();
    if (use_certificate(context.get(), *entry)) {
      identity.add(entry->facts.fingerprint);
      usable = true;
      continue;
    }
    ++broken_;
    const unsigned long code = ERR_get_error();
    const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
    base::log_warn("certificate cannot be used",
                   {{"certificate", entry->facts.name},
                    {"reason", reason == nullptr ? "the key does not match" : reason}});
  }
  ERR_clear_error();
  if (!usable) return out;
  // A ticket of one set of certificates never resumes on another.
  out.identity = identity.finish();
  WEIR_CHECK(SSL_CTX_set_session_id_context(context.get(), crypto::bytes_of(out.identity),
                                            static_cast<unsigned>(out.identity.size())) == 1);
  out.context = std::move(context);
  return out;
}

const TlsContexts::Entry* TlsContexts::find(const Certificates& certificates) {
  if (certificates.empty()) return nullptr;
  std::string key;
  for (const auto& entry : certificates) {
    key += entry->facts.fingerprint;
    // The same leaf may come with another chain.
    std::uint64_t chain = entry->chain.size();
    for (const std::string& link : entry->chain) chain = base::hash_bytes(link, chain);
    key.append(reinterpret_cast<const char*>(&chain), sizeof chain);
  }
  if (Entry* const found = made_.find(key); found != nullptr) {
    // The same bytes may have come anew.
    if (found->is_gone()) found->certificates.assign(certificates.begin(), certificates.end());
    return found;
  }
  made_.drop_if([](const Entry& entry) { return entry.is_gone(); });
  return &made_.add(std::move(key), build(certificates));
}

void TlsContexts::trim() {
  made_.drop_unused();
  stores_.trim();
}

// A ticket resumes only where the same is asked of the same authorities, whatever certificates the
// host shares with others: else whom the old handshake let in would be let in unasked.
void TlsContexts::ask_client(SSL* ssl, const Entry& entry, ClientPolicyPtr policy) {
  if (policy == nullptr) return;
  crypto::Sha256 bond;
  bond.add(entry.identity);
  bond.add(base::encode(policy->rule).to_string());
  bond.add(policy->trust == nullptr ? "" : policy->trust->hash);
  const std::string id = bond.finish();
  WEIR_CHECK(
      SSL_set_session_id_context(ssl, crypto::bytes_of(id), static_cast<unsigned>(id.size())) == 1);
  ask_for_certificate(ssl, *policy, stores_);
  current_->on_client_policy(std::move(policy));
}

int TlsContexts::on_client_hello(SSL* ssl, int* alert, void* self) {
  auto& contexts = *static_cast<TlsContexts*>(self);
  TlsHandshake* handshake = contexts.current_;
  WEIR_CHECK(handshake != nullptr);
  const std::string name = server_name(ssl);
  handshake->on_server_name(name);
  contexts.chosen_.clear();
  handshake->chooser().choose(name, contexts.chosen_);
  const Entry* found = contexts.find(contexts.chosen_);
  contexts.chosen_.clear();
  if (found == nullptr || found->context == nullptr) {
    handshake->on_no_certificate();
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_CLIENT_HELLO_ERROR;
  }
  SSL_set_SSL_CTX(ssl, found->context.get());
  contexts.ask_client(ssl, *found, handshake->chooser().client_policy(name));
  if (handshake->chooser().tickets().keys.empty()) {
    SSL_set_options(ssl, SSL_OP_NO_TICKET);
    SSL_set_num_tickets(ssl, 0);
  }
  return SSL_CLIENT_HELLO_SUCCESS;
}

}  // namespace weir::transport
