#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "dataplane/upstream/attempt.h"
#include "dataplane/upstream/balance.h"
#include "dataplane/upstream/pool.h"

namespace weir::upstream {

// The upstream side of one worker. Per cluster (by its dense index) the balancing state and the
// pools of its endpoints, in the endpoints' order: a request costs array reads, no look-up by name.
// Pools are shared by every cluster that names the endpoint with the same protocol.
//
// Invariant: a pool is in pools_ until it has no cluster, no attempt and no connection left.
class UpstreamSet final : public Upstreams, PoolOwner {
 public:
  explicit UpstreamSet(Parts parts) : parts_(parts) {}
  ~UpstreamSet() override;

  std::unique_ptr<Attempt> start(const Cluster& cluster, const AttemptNeeds& needs,
                                 AttemptTarget& target, codec::MessageTarget& response) override;
  void on_cluster_changed(const Cluster& cluster) override;
  void on_cluster_removed(std::uint32_t index) override;
  std::size_t idle_connections() const override { return counts_.idle; }
  std::size_t open_connections() const override { return counts_.open; }

 private:
  struct State {
    explicit State(unsigned start) : balance(start) {}
    RoundRobin balance;
    std::vector<Pool*> pools;         // in the order of the endpoints
    const Cluster* synced = nullptr;  // what balance and pools were made from; only compared
    const Endpoint* first = nullptr;  // likewise: a changed set in the same place
  };

  State& state_of(const Cluster& cluster);
  void sync(State& state, const Cluster& cluster);
  Pool& pool_of(const Endpoint& endpoint, const Cluster& cluster);
  void on_pool_unused(Pool& pool) override;

  Parts parts_;
  Counts counts_;
  std::unordered_map<std::string, std::unique_ptr<Pool>> pools_;  // by pool_key()
  std::vector<std::unique_ptr<State>> clusters_;                  // by Cluster::index
};

}  // namespace weir::upstream
