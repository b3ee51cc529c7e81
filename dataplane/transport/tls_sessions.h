#pragma once

#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/base/lru_table.h"
#include "dataplane/transport/tls_contexts.h"
#include "dataplane/transport/tls_transport.h"
#include "dataplane/transport/tls_verify.h"
#include "dataplane/transport/upstream_policy.h"

struct ssl_session_st;

namespace weir::transport {

struct UpstreamSessionFree {
  void operator()(ssl_session_st* session) const;
};
using Session = std::unique_ptr<ssl_session_st, UpstreamSessionFree>;

// Sessions that upstreams gave us, by policy and endpoint, each given out once, as TLS 1.3 wants it
// (RFC 8446 appendix C.4). One thread.
class SessionStore {
 public:
  static constexpr std::size_t kMost = 1024;  // about 3 KiB each
  static constexpr std::size_t kMostOfOne = 4;

  void put(const std::string& key, Session session);
  Session take(const std::string& key);  // one that is still good, or null
  std::size_t size() const { return order_.size(); }

 private:
  struct Entry {
    std::string key;
    Session session;
  };
  using Place = std::list<Entry>::iterator;
  void drop(Place at);

  std::list<Entry> order_;  // newest first
  std::unordered_multimap<std::string, Place> by_key_;
};

class ClientContexts;

// What the library's callbacks need of a connection; owned by its transport.
struct UpstreamPeer {
  ClientContexts& contexts;
  UpstreamPolicyPtr policy;
  std::string key;  // of its sessions: policy and endpoint
};

// The contexts of one worker for its upstreams: one per policy, in an LRU. One thread.
class ClientContexts {
 public:
  static constexpr std::size_t kMost = 256;

  struct Made {
    SslPtr ssl;          // never null
    std::string broken;  // not empty: it must not be used, this is why
  };
  // A session that has all the policy asks for.
  Made make(const UpstreamPolicy& policy);
  // Ties it to its connection, and resumes a session where there is one. peer: borrowed for the
  // life of ssl.
  void attach(ssl_st* ssl, UpstreamPeer& peer);
  // After the handshake: of TLS 1.2 a session that was resumed serves again.
  void keep(ssl_st* ssl, const UpstreamPeer& peer);
  std::size_t sessions() const { return store_.size(); }
  void trim();  // drops the contexts that no connection was made with since the last call

 private:
  struct Entry {
    SslContext context;
    std::string broken;
  };
  Entry& find(const UpstreamPolicy& policy);
  Entry build(const UpstreamPolicy& policy);
  std::string configure(ssl_ctx_st* context, const UpstreamPolicy& policy);

  SessionStore store_;
  TrustStores trusts_;
  base::LruTable<Entry> made_{kMost};

  friend struct UpstreamCallbacks;
};

}  // namespace weir::transport
