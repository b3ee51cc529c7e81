#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/model/stream.h"
#include "dataplane/exchange/snapshot.h"
#include "dataplane/upstream/attempt.h"

namespace weir::stream {

// Where the streams of one worker go: its turns over the backends of stream rules are smooth
// weighted round robin, so that any window of sum(weights) choices is exact; the endpoint is chosen
// by its cluster's own policy, health and limits, as for requests. Bounded. One thread.
class Choice {
 public:
  // Both borrowed.
  Choice(const exchange::LiveSnapshot& live, upstream::Upstreams& upstreams)
      : live_(live), upstreams_(upstreams) {}

  // The backend whose turn it is, or null when none has a weight. owner: names the rule, a listener
  // or a host. The result lives as long as the rule.
  const model::WeightedBackend* backend(std::string_view owner, const model::StreamRule& rule);

  struct Picked {
    const upstream::Cluster* cluster = nullptr;    // null: the snapshot has none of this name
    const upstream::Endpoint* endpoint = nullptr;  // null: the cluster has none left
    upstream::Use use;                             // to be kept as long as the stream lives
  };
  // The endpoint for a stream. key: of clusters that hash, the client's address. avoid: ids of
  // endpoints that this client could not reach. Valid until the live snapshot changes.
  Picked endpoint(std::string_view cluster, std::string_view key, upstream::Avoid avoid = {});

 private:
  static constexpr std::size_t kMost = 1'024;

  const exchange::LiveSnapshot& live_;
  upstream::Upstreams& upstreams_;
  std::unordered_map<std::string, std::vector<std::int64_t>> standings_;  // by owner
};

}  // namespace weir::stream
