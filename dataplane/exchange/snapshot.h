#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/base/cidr.h"
#include "common/base/persistent_map.h"
#include "common/model/listener.h"
#include "common/model/settings.h"
#include "common/routing/route_table.h"
#include "dataplane/codec/codec.h"
#include "dataplane/transport/certificate_table.h"
#include "dataplane/transport/trust.h"
#include "dataplane/upstream/cluster.h"

namespace weir::exchange {

// One generation of compiled configuration: immutable tables that share structure with their
// neighbours. Built by snapshot/ and handed to every worker by message.
struct Snapshot {
  std::uint64_t version = 0;
  model::Settings settings;
  std::string debug_key;  // of signed debug requests; empty: there are none
  bool traces = false;    // a request may have to be traced: a collector, or that key
  bool wide = false;      // a table has more hosts than this:
  static constexpr std::size_t kNarrow = 1'000;  // what a lookup reads stays in a worker's cache
  base::CidrSet proxy_sources;                   // of settings.client_address, compiled
  base::CidrSet forwarded_sources;               // likewise
  codec::Limits limits;
  base::PersistentMap<model::Listener> listeners;   // by name
  base::PersistentMap<routing::RouteTable> tables;  // by route table name; targets are RoutePlan
  upstream::ClusterTable clusters;
  transport::CertificateTable certificates;
  transport::TrustTable trusts;
  transport::TicketKeySet tickets;
};

// What handshakes for this host ask, with the authorities of the snapshot; null: nothing.
transport::ClientPolicyPtr client_policy_of(const Snapshot& snapshot, const model::Host* host);

class LiveSnapshot;

// A worker-local reference to a snapshot: a plain counter, no atomic. An exchange holds one until
// it has what it needs; tunnels and long bodies let go early, so that a week-old WebSocket pins
// nothing.
class SnapshotRef {
 public:
  SnapshotRef() = default;
  SnapshotRef(const SnapshotRef& other);
  SnapshotRef(SnapshotRef&& other) noexcept
      : generation_(std::exchange(other.generation_, nullptr)) {}
  SnapshotRef& operator=(SnapshotRef other) noexcept {
    std::swap(generation_, other.generation_);
    return *this;
  }
  ~SnapshotRef();
  const Snapshot* operator->() const;
  const Snapshot& operator*() const;
  bool valid() const { return generation_ != nullptr; }
  void reset() { *this = SnapshotRef(); }

 private:
  friend class LiveSnapshot;
  struct Generation;
  explicit SnapshotRef(Generation* generation);
  Generation* generation_ = nullptr;
};

// The snapshot that one worker serves now. One thread; replace() is called by a task that the
// snapshot room posts.
class LiveSnapshot {
 public:
  LiveSnapshot();  // an empty snapshot, version 0
  void replace(std::shared_ptr<const Snapshot> next);
  const Snapshot& operator*() const { return *current_; }
  const Snapshot* operator->() const { return &*current_; }
  SnapshotRef take() const { return current_; }

 private:
  SnapshotRef current_;
};

}  // namespace weir::exchange
