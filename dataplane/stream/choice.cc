#include "dataplane/stream/choice.h"

namespace weir::stream {

const model::WeightedBackend* Choice::backend(std::string_view owner,
                                              const model::StreamRule& rule) {
  const auto& backends = rule.backends;
  if (backends.size() == 1) return backends[0].weight > 0 ? backends.data() : nullptr;
  if (standings_.size() >= kMost) standings_.clear();
  std::vector<std::int64_t>& standings = standings_[std::string(owner)];
  if (standings.size() != backends.size()) standings.assign(backends.size(), 0);
  std::int64_t total = 0;
  std::size_t best = backends.size();
  for (std::size_t i = 0; i < backends.size(); ++i) {
    if (backends[i].weight == 0) continue;
    standings[i] += backends[i].weight;
    total += backends[i].weight;
    if (best == backends.size() || standings[i] > standings[best]) best = i;
  }
  if (best == backends.size()) return nullptr;
  standings[best] -= total;
  return &backends[best];
}

Choice::Picked Choice::endpoint(std::string_view cluster, std::string_view key,
                                upstream::Avoid avoid) {
  Picked out;
  out.cluster = live_->clusters.find(cluster);
  if (out.cluster == nullptr) return out;
  out.use = upstreams_.pick(*out.cluster, {.key = key, .avoid = avoid});
  if (!out.use) return out;
  const upstream::Endpoint& found = out.cluster->endpoints[out.use.index()];
  // The turns go on to an avoided one when there is no other: here it was tried already.
  if (!upstream::contains(avoid, found.id)) out.endpoint = &found;
  return out;
}

}  // namespace weir::stream
