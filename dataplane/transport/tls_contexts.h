#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/lru_table.h"
#include "dataplane/transport/certificate_table.h"
#include "dataplane/transport/tls_verify.h"

struct ssl_st;
struct ssl_ctx_st;

namespace weir::transport {

struct SslContextFree {
  void operator()(ssl_ctx_st* context) const;
};
using SslContext = std::unique_ptr<ssl_ctx_st, SslContextFree>;

// What a handshake in progress asks of its connection. Implemented by the TLS transport; set only
// while a call into OpenSSL runs.
class TlsHandshake {
 public:
  virtual ~TlsHandshake() = default;
  virtual void on_server_name(std::string_view name) = 0;  // lower case; empty: none
  virtual const CertificateChooser& chooser() const = 0;
  virtual void on_client_policy(ClientPolicyPtr asked) = 0;  // a certificate is asked for
  virtual void on_no_certificate() = 0;  // nothing to serve this name with: the handshake fails
};

// The contexts of one worker: one without a certificate that every session starts with, and an LRU
// of contexts with certificates, keyed by what they serve. A renewed certificate is a new key and
// so a new context; the old one goes when the next is made and no snapshot has its certificate any
// more. Live sessions keep theirs. One thread.
class TlsContexts {
 public:
  static constexpr std::size_t kMost = 512;  // about 20 KiB each

  TlsContexts();
  ssl_ctx_st* start() { return start_.get(); }
  void set_current(TlsHandshake* handshake) { current_ = handshake; }
  std::size_t size() const { return made_.size(); }
  void trim();                 // drops those that served no handshake since the last call
  bool offers_http2() const {  // to the current handshake
    return current_ != nullptr && current_->chooser().offers_http2();
  }
  std::uint64_t broken() const { return broken_; }

 private:
  using Certificates = std::vector<std::shared_ptr<const CertificateEntry>>;
  struct Entry {
    bool is_gone() const;  // a certificate that it was made of is in no snapshot any more

    std::string identity;  // of the certificates, for the bond of tickets
    SslContext context;    // null: none of the certificates can be used
    std::vector<std::weak_ptr<const CertificateEntry>> certificates;
  };

  SslContext make();
  // The context for these certificates, made at first use. Null: there are none. Valid until the
  // next call.
  const Entry* find(const Certificates& certificates);
  Entry build(const Certificates& certificates);
  void ask_client(ssl_st* ssl, const Entry& entry, ClientPolicyPtr policy);
  static int on_client_hello(ssl_st* ssl, int* alert, void* self);

  TlsHandshake* current_ = nullptr;
  base::LruTable<Entry> made_{kMost};
  Certificates chosen_;  // kept for its capacity
  TrustStores stores_;
  std::uint64_t broken_ = 0;
  SslContext start_;

  friend struct TicketCallback;
};

}  // namespace weir::transport
