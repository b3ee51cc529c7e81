#pragma once

#include <algorithm>
#include <string_view>

#include "common/base/persistent_map.h"
#include "common/routing/compiled_route.h"
#include "common/routing/host_block.h"
#include "common/routing/host_name.h"
#include "common/routing/path.h"
#include "common/routing/route_table.h"

namespace weir::routing {

// A request split into what matching looks at. Views are borrowed for the call.
struct SplitRequest {
  explicit SplitRequest(const RequestKey& request);

  HostName host;
  // Text that is no host goes to no host, not even "*"; a missing host goes to "*".
  bool bad_host = false;
  std::string_view path;
  Conditions conditions;
};

// The inside of a table. Immutable once published. Wildcard hosts are keyed by suffix:
// ".example.test".
struct RouteTable::State {
  base::PersistentMap<HostBlock> exact;
  base::PersistentMap<HostBlock> wildcards;
  HostBlockPtr any;             // "*"
  DepthCounts wildcard_depths;  // dots of each suffix
  std::size_t routes = 0;
  std::size_t passthroughs = 0;  // hosts whose TLS is passed through

  const HostBlock* block(std::string_view name) const;

  // Calls visit(block) for each host that covers this name, from exact over longer to shorter
  // wildcards to "*", until it answers true. host: normal form, may be empty. One hash for the
  // exact name and one for each suffix that can be a wildcard.
  template <typename Visit>
  void for_each_host(std::string_view host, Visit&& visit) const {
    const HostBlock* own = host.empty() ? nullptr : exact.find(host);
    if (own != nullptr && visit(*own)) return;
    if (!wildcards.empty() && visit_wildcards(host, visit)) return;
    if (any != nullptr) visit(*any);
  }

  // Lets visit_host(block) -> bool find a match in each host that the request may go to.
  template <typename VisitHost>
  Outcome match(const SplitRequest& request, VisitHost&& visit_host) const {
    Outcome outcome = Outcome::kNoHost;
    if (request.bad_host) return outcome;
    for_each_host(request.host.text(), [&](const HostBlock& block) {
      if (block.route_count() == 0) return false;  // only chooses a certificate
      const bool matched = visit_host(block);
      outcome = matched ? Outcome::kMatched : Outcome::kNoRoute;
      return matched || !block.host().fall_through;
    });
    return outcome;
  }
  // The plain match of one reading of the path.
  Decision match_path(const SplitRequest& request, std::string_view path) const;

  // The decision over all readings of the path; match_first(path) matches the path as written and
  // may look closer than match_path, but must decide alike. on_conflict(path, decision) is told of
  // the first reading that goes elsewhere.
  template <typename MatchFirst, typename OnConflict>
  Decision decide(const SplitRequest& request, MatchFirst&& match_first,
                  OnConflict&& on_conflict) const {
    if (is_clean(request.path)) return match_first(request.path);
    const Readings readings = readings_of(request.path);
    if (readings.state == Readings::State::kBad) return {Outcome::kBadPath, nullptr};
    if (readings.state == Readings::State::kTooMany) return {Outcome::kTwoReadings, nullptr};
    const Decision first = match_first(readings.texts.front());
    for (std::size_t i = 1; i < readings.texts.size(); ++i) {
      const Decision other = match_path(request, readings.texts[i]);
      if (other.outcome == first.outcome && other.target == first.target) continue;
      on_conflict(readings.texts[i], other);
      return {Outcome::kTwoReadings, nullptr};
    }
    return first;
  }

 private:
  template <typename Visit>
  bool visit_wildcards(std::string_view host, Visit& visit) const {
    std::size_t dots = static_cast<std::size_t>(std::count(host.begin(), host.end(), '.'));
    const std::size_t first = host.find('.');
    for (std::size_t at = first; at != std::string_view::npos;
         at = host.find('.', at + 1), --dots) {
      if (dots > wildcard_depths.most()) continue;
      const HostBlock* block = wildcards.find(host.substr(at));
      if (block == nullptr || (at != first && !block->host().any_depth)) continue;
      if (visit(*block)) return true;
    }
    return false;
  }
};

}  // namespace weir::routing
