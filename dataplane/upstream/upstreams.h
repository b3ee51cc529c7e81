#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "dataplane/upstream/attempt.h"
#include "dataplane/upstream/health_check.h"
#include "dataplane/upstream/pool.h"

namespace weir::upstream {

// The upstream side of one worker. Per cluster (by its dense index) the balancing state, and a seat
// per endpoint with its pool: a request costs array reads, no look-up by name. Pools are shared by
// every cluster that names the endpoint with the same protocol, but for clusters whose connections
// are limited.
//
// Invariants: (1) a pool is in pools_ until it has no cluster, no attempt and no connection left;
// (2) a seat lives until its endpoint has left the cluster and no Use is left.
class UpstreamSet final : public Upstreams, PoolOwner {
 public:
  explicit UpstreamSet(Parts parts, UpstreamsConfig config = {})
      : parts_(parts), config_(std::move(config)) {}
  ~UpstreamSet() override;

  Use pick(const Cluster& cluster, const PickNeeds& needs) override;
  std::unique_ptr<Attempt> start(const Cluster& cluster, Use& use, const AttemptNeeds& needs,
                                 AttemptTarget& target, codec::MessageTarget& response) override;
  void on_cluster_changed(const Cluster& cluster) override;
  void on_cluster_removed(std::uint32_t index) override;
  void trim() override {
    if (parts_.tls_client != nullptr) parts_.tls_client->trim();
  }
  std::size_t idle_connections() const override { return counts_.idle; }
  std::size_t open_connections() const override { return counts_.open; }

 private:
  struct State {
    explicit State(unsigned worker) : balancer(worker) {}
    Home home;
    Balancer balancer;
    std::vector<std::unique_ptr<Seat>> seats;          // in the order of the endpoints
    std::vector<std::unique_ptr<Seat>> leaving;        // gone from the cluster, still in use
    std::vector<std::unique_ptr<HealthCheck>> checks;  // those that this worker runs for all
    const Cluster* synced = nullptr;                   // what all this was made from; only compared
    const Endpoint* first = nullptr;                   // likewise: a changed set in the same place
  };

  State& state_of(const Cluster& cluster);
  void sync(State& state, const Cluster& cluster);
  void sync_home(Home& home, const Cluster& cluster) const;
  std::unique_ptr<Seat> seat_of(State& state, const Endpoint& endpoint,
                                std::unique_ptr<Seat> old) const;
  void sync_checks(State& state, const Cluster& cluster);
  std::unique_ptr<HealthCheck> check_of(State& state, const Cluster& cluster,
                                        const Endpoint& endpoint);
  bool connections_left(const State& state) const;
  void sweep();
  Pool& pool_of(const Endpoint& endpoint, const Cluster& cluster, model::UpstreamProtocol protocol);
  static std::string pool_key(std::string_view id, const Cluster& cluster,
                              model::UpstreamProtocol protocol);
  void on_pool_unused(Pool& pool) override;
  bool may_connect(std::uint32_t cluster) const override;

  Parts parts_;
  UpstreamsConfig config_;
  Counts counts_;
  std::unordered_map<std::string, std::unique_ptr<Pool>> pools_;  // by pool_key()
  std::vector<std::unique_ptr<State>> clusters_;                  // by Cluster::index
  std::vector<std::unique_ptr<State>> departed_;                  // removed, still in use
};

}  // namespace weir::upstream
