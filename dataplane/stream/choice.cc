#include "dataplane/stream/choice.h"

#include <algorithm>

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

Choice::Picked Choice::endpoint(std::string_view cluster, std::span<const std::string> avoid) {
  Picked out;
  out.cluster = live_->clusters.find(cluster);
  if (out.cluster == nullptr) return out;
  if (clusters_.size() >= kMost) forget_gone();
  const auto& endpoints = out.cluster->endpoints;
  Endpoints& state = clusters_.try_emplace(std::string(cluster), start_).first->second;
  if (state.version != live_->version) {
    state.turns.sync(endpoints);
    state.version = live_->version;
  }
  const std::size_t at = state.turns.pick(avoid);
  // The turns go on to an avoided one when there is no other: here it was tried already.
  const bool usable = at != upstream::RoundRobin::kNone &&
                      std::find(avoid.begin(), avoid.end(), endpoints[at].id) == avoid.end();
  if (usable) out.endpoint = &endpoints[at];
  return out;
}

void Choice::forget_gone() {
  std::erase_if(clusters_,
                [this](const auto& one) { return live_->clusters.find(one.first) == nullptr; });
  if (clusters_.size() >= kMost) clusters_.clear();
}

}  // namespace weir::stream
