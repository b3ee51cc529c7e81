#pragma once

#include <memory>
#include <span>
#include <string>

#include "common/base/result.h"
#include "dataplane/codec/codec.h"
#include "dataplane/upstream/balancer.h"
#include "dataplane/upstream/cluster.h"
#include "dataplane/upstream/use.h"
#include "dataplane/worker/worker.h"

namespace weir::upstream {

class Upstreams;

// Told how getting a connection went.
class AttemptTarget {
 public:
  virtual ~AttemptTarget() = default;
  // A stream to the endpoint is open: stream() may be used. May be called from inside
  // Upstreams::start.
  virtual void on_attempt_ready() = 0;
  // No connection: nothing of the request has left. error.retryable is true, but where its kind is
  // kOverloaded: then the cluster's limit of connections is reached, and the endpoint may be well.
  virtual void on_attempt_failed(const base::Error& error) = 0;
};

// One try on one endpoint. Owned by the exchange. Destroying it gives the stream up: a stream that
// is not over is reset and its connection closed; one that is over has already gone back to the
// pool.
class Attempt {
 public:
  virtual ~Attempt() = default;
  // After on_attempt_ready. Once the stream is over every call on it does nothing.
  virtual codec::MessageStream& stream() = 0;
  virtual const Endpoint& endpoint() const = 0;
  virtual bool reused() const = 0;                  // on a pooled connection
  virtual base::Duration connect_time() const = 0;  // zero when reused
  // Its protocol lets the endpoint give a request back unprocessed (HTTP/2: REFUSED_STREAM,
  // GOAWAY).
  virtual bool may_be_refused() const { return false; }
};

// Which connection may carry a request.
struct AttemptNeeds {
  bool fresh = false;      // a retry after a reused connection died: only a new connection
  bool idempotent = true;  // false: a pooled connection must have been idle for less than a second
};

// What an Upstreams is told of its surroundings.
struct UpstreamsConfig {
  unsigned workers = 1;   // of the process
  std::string zone = {};  // where the process runs; empty: unknown
};

// The upstream side of one worker: balancing state and keep-alive pools, keyed by endpoint, TLS
// policy and protocol; LIFO; fds stay in epoll, so a close by the peer is seen at once. One thread.
// State survives every snapshot change.
class Upstreams {
 public:
  virtual ~Upstreams() = default;
  // Picks an endpoint by the cluster's policy. Empty, with the reason, when there is none or a
  // circuit limit is reached. cluster: borrowed for the call.
  virtual Use pick(const Cluster& cluster, const PickNeeds& needs) = 0;
  // Gets a connection to the picked endpoint. Null when a circuit limit is reached: use.refusal()
  // tells. Precondition: use was picked from this cluster just now. cluster: borrowed for the call;
  // target and response for the attempt's life.
  virtual std::unique_ptr<Attempt> start(const Cluster& cluster, Use& use,
                                         const AttemptNeeds& needs, AttemptTarget& target,
                                         codec::MessageTarget& response) = 0;
  // Closes pooled connections of endpoints that no cluster names any more; running requests finish.
  // Called after a snapshot swap with the clusters that changed.
  virtual void on_cluster_changed(const Cluster& cluster) = 0;
  virtual void on_cluster_removed(std::uint32_t index) = 0;
  virtual void trim() = 0;  // frees what is kept for handshakes to come
  virtual std::size_t idle_connections() const = 0;
  virtual std::size_t open_connections() const = 0;
};
std::unique_ptr<Upstreams> make_upstreams(worker::Worker& worker, codec::SessionContext context,
                                          const UpstreamsConfig& config = {});

}  // namespace weir::upstream
