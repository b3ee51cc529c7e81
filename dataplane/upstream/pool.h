#pragma once

#include <memory>
#include <vector>

#include "dataplane/transport/factory.h"
#include "dataplane/upstream/cluster.h"
#include "dataplane/upstream/connection.h"

namespace weir::upstream {

// What a new connection is to speak.
struct SessionWish {
  model::UpstreamProtocol protocol = model::UpstreamProtocol::kHttp1;
  bool tls = false;
  std::uint32_t max_streams = 100;  // at once, by the cluster's settings
  std::uint32_t first_streams = 1;  // until the endpoint says what it allows
};

// What connections are made of; the defaults are TCP and the HTTP codecs, tests script their own.
// One per worker; outlives its pools.
struct Parts {
  worker::Worker& worker;
  codec::SessionContext context;
  // tls: null for plain text. The transport's on_open comes after handshake and verification.
  std::unique_ptr<transport::Transport> (*connect)(const Parts& parts,
                                                   const base::SocketAddress& to,
                                                   base::Duration connect_timeout,
                                                   const transport::UpstreamPolicyPtr& tls);
  // Null for a protocol that no codec speaks.
  std::unique_ptr<codec::ClientSession> (*make_session)(const SessionWish& wish,
                                                        codec::SessionContext context,
                                                        codec::ByteStream& wire,
                                                        codec::ClientTarget& target);
  std::shared_ptr<transport::TlsClient> tls_client = nullptr;  // what connect() uses for TLS
};
Parts standard_parts(worker::Worker& worker, codec::SessionContext context);

// Connection counts of one worker.
struct Counts {
  std::size_t idle = 0;
  std::size_t open = 0;  // idle, busy and connecting
};

class Pool;
class PoolOwner {
 public:
  virtual ~PoolOwner() = default;
  virtual void on_pool_unused(Pool& pool) = 0;  // no user and no connection is left
  // Whether the cluster of this index may have one more connection.
  virtual bool may_connect(std::uint32_t cluster) const = 0;
};

// Where the connections of a pool go and how they speak.
struct PoolTarget {
  Endpoint endpoint;
  model::UpstreamProtocol protocol;
  transport::UpstreamPolicyPtr tls;  // null: plain text
};

// The connections to one endpoint with one protocol and one TLS policy. Those
// with room for an exchange are on offer, the most recently used first, so that spare ones age and
// go. A user is a cluster that names the endpoint, or an attempt that still reads endpoint().
class Pool final : public worker::Buried {
 public:
  struct Limits {
    std::size_t max_idle = 320;
    base::Duration idle_timeout = std::chrono::seconds(60);
    std::uint32_t max_streams = 100;  // on one HTTP/2 connection
  };
  // A non-idempotent request must not meet a connection that the endpoint is about to close. Over
  // HTTP/2 an endpoint says by GOAWAY what it has not processed, so that there any will do.
  static constexpr std::chrono::seconds kFreshEnough{1};

  Pool(const Parts& parts, Counts& counts, PoolOwner& owner, PoolTarget target);

  const Endpoint& endpoint() const { return target_.endpoint; }
  model::UpstreamProtocol protocol() const { return target_.protocol; }
  const transport::UpstreamPolicyPtr& tls() const { return target_.tls; }
  worker::Worker& worker() { return parts_.worker; }

  void set_limits(Limits limits) { limits_ = limits; }
  // By which the owner finds it.
  const std::string& key() const { return key_; }
  void set_key(std::string key) { key_ = std::move(key); }
  // Its connections are counted here from now on, beside the worker's Counts, and limited with
  // those of the cluster, whose own the pool is.
  void limit_by(std::uint32_t cluster, std::shared_ptr<shared::EndpointState> state);
  // The newest connection on offer, or null. idempotent false: only one idle for less than a
  // second.
  Connection* take(bool idempotent);
  Connection& connect(base::Duration timeout);
  // One that is being made and can serve one more, or null. Requests that come while the first
  // HTTP/2 connection is not there yet share it.
  Connection* joinable() const;
  void add_cluster() { ++clusters_; }
  void remove_cluster();  // the last one: closes what is idle, and what runs when it is over
  void add_attempt() { ++attempts_; }
  void remove_attempt();
  void close_all(const base::Error& why);

 private:
  friend class Connection;
  void offer(Connection& connection);
  void withdraw(Connection& connection);
  void forget(Connection& connection);  // buries it
  void close_idle();
  void count_connections();
  SessionWish wish() const;
  void learn(std::size_t most_streams);  // what an endpoint allows on a connection
  // For one that its connection has no room for.
  void find_other(ConnectWaiter& waiter, base::Duration timeout);
  void tell_if_unused();

  const Parts& parts_;
  Counts& counts_;
  PoolOwner& owner_;
  PoolTarget target_;
  Limits limits_;
  std::string key_;
  std::shared_ptr<shared::EndpointState> counted_;
  std::uint32_t cluster_ = 0;  // where counted_ is set
  std::size_t clusters_ = 0;
  std::size_t attempts_ = 0;
  std::size_t idle_ = 0;
  std::vector<std::unique_ptr<Connection>> all_;
  std::uint32_t allowed_ = 0;        // streams, as the endpoint said last; 0: never yet
  Connection* gathering_ = nullptr;  // the newest that is being made, HTTP/2 only
  Connection* newest_ = nullptr;
  Connection* oldest_ = nullptr;
};

}  // namespace weir::upstream
