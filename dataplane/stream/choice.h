#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/model/stream.h"
#include "dataplane/exchange/snapshot.h"
#include "dataplane/upstream/balance.h"

namespace weir::stream {

// One worker's turns over the backends of stream rules and over the endpoints of their clusters.
// Both are smooth weighted round robin, so that any window of sum(weights) choices is exact.
// Bounded: state of what the snapshot no longer has is forgotten. One thread.
class Choice {
 public:
  // live: borrowed. start: where the turns of this worker begin; usually its index.
  Choice(const exchange::LiveSnapshot& live, unsigned start) : live_(live), start_(start) {}

  // The backend whose turn it is, or null when none has a weight. owner: names the rule, a listener
  // or a host. The result lives as long as the rule.
  const model::WeightedBackend* backend(std::string_view owner, const model::StreamRule& rule);

  struct Picked {
    const upstream::Cluster* cluster = nullptr;    // null: the snapshot has none of this name
    const upstream::Endpoint* endpoint = nullptr;  // null: the cluster has none left
  };
  // The endpoint whose turn it is. avoid: ids of endpoints that this client could not reach. Valid
  // until the live snapshot changes.
  Picked endpoint(std::string_view cluster, std::span<const std::string> avoid = {});

 private:
  struct Endpoints {
    explicit Endpoints(unsigned start) : turns(start) {}
    upstream::RoundRobin turns;
    std::uint64_t version = ~std::uint64_t{0};  // of the snapshot that turns was synced with
  };
  void forget_gone();

  static constexpr std::size_t kMost = 1'024;

  const exchange::LiveSnapshot& live_;
  const unsigned start_;
  std::unordered_map<std::string, std::vector<std::int64_t>> standings_;  // by owner
  std::unordered_map<std::string, Endpoints> clusters_;
};

}  // namespace weir::stream
