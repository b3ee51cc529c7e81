#include <algorithm>
#include <set>

#include "common/base/text.h"
#include "common/crypto/digest.h"
#include "dataplane/snapshot/draft.h"
#include "dataplane/snapshot/upstream_tls.h"

namespace weir::snapshot {
namespace {

using model::ResourceType;

// False when the endpoint is bad; then draft.errors names it.
bool add_endpoint(Draft& draft, const model::Resource& resource, const model::Endpoint& from,
                  std::vector<upstream::Endpoint>& out) {
  const std::string place = "endpoint '" + from.id + "': ";
  auto address = base::SocketAddress::parse(from.address, from.port);
  if (!address.ok()) {
    draft.error(resource.key, place + address.error().text);
    return false;
  }
  if (from.id.empty() || from.port == 0) {
    draft.error(resource.key, place + "needs an id and a port in 1..65535");
    return false;
  }
  if (from.weight > 0) out.push_back({from.id, address.value(), from.weight, from.zone, {}});
  return true;
}

bool read_endpoints(Draft& draft, const model::Resource& resource,
                    std::vector<upstream::Endpoint>& out) {
  const auto read = draft.read<model::Endpoints>(resource);
  if (!read) return false;
  for (const model::Endpoint& one : read->endpoints) {
    if (!add_endpoint(draft, resource, one, out)) return false;
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  const auto same = std::adjacent_find(out.begin(), out.end(),
                                       [](const auto& a, const auto& b) { return a.id == b.id; });
  if (same == out.end()) return true;
  draft.error(resource.key, "endpoint '" + same->id + "' is there twice");
  return false;
}

void remove_cluster(Draft& draft, const std::string& name) {
  if (draft.next->clusters.find(name) == nullptr) return;
  draft.next->clusters = draft.next->clusters.without(name);
  draft.gone_clusters.push_back(name);
}

bool needs_counts(const model::Cluster& settings) {
  const model::Balance policy = settings.balance.policy;
  return policy == model::Balance::kLeastConn || policy == model::Balance::kEwma ||
         settings.limits.max_connections > 0;
}

// What workers share of a cluster goes on with its endpoints. One that comes into a set that has
// others starts slowly, if the cluster wants that.
void carry_state(const Draft& draft, const std::string& name, upstream::Cluster& cluster) {
  const upstream::Cluster* const before = draft.next->clusters.find(name);
  cluster.state = before == nullptr ? std::make_shared<shared::ClusterState>() : before->state;
  const unsigned counts = needs_counts(cluster.settings) ? draft.shop.workers : 0;
  const bool joins = before != nullptr && !before->endpoints.empty();
  const base::TimePoint joined = joins ? base::system_clock().now() : base::TimePoint();
  for (upstream::Endpoint& endpoint : cluster.endpoints) {
    const upstream::Endpoint* const old = before == nullptr ? nullptr : before->find(endpoint.id);
    const bool kept = old != nullptr && old->state->counts() == (counts > 0);
    endpoint.state = kept ? old->state
                          : std::make_shared<shared::EndpointState>(
                                counts, old == nullptr ? joined : base::TimePoint());
    if (cluster.settings.health.kind == model::CheckKind::kNone) endpoint.state->forget_checks();
  }
}

// ingress-nginx's name of the Service port, which its cookies are made from.
std::string place_subject(const model::Cluster& settings) {
  return settings.ns + "-" + settings.service + "-" + settings.port;
}

void place(upstream::Cluster& cluster) {
  const model::Balancing& balance = cluster.settings.balance;
  std::vector<upstream::Places::Owner> owners;
  std::vector<std::string> subsets;
  switch (balance.policy) {
    case model::Balance::kMaglev:
    case model::Balance::kKetama:
      for (const auto& one : cluster.endpoints) owners.push_back({one.id, one.weight});
      break;
    case model::Balance::kKetamaSubset: {
      const std::size_t size = std::max(1U, balance.subset_size);
      const std::size_t count = (cluster.endpoints.size() + size - 1) / size;
      for (std::size_t i = 1; i <= count; ++i) subsets.push_back("set" + std::to_string(i));
      for (const std::string& one : subsets) owners.push_back({one, 1});
      break;
    }
    case model::Balance::kNamed:
      for (const auto& one : cluster.endpoints) {
        cluster.names.push_back(base::hex(crypto::md5(place_subject(cluster.settings) + one.id)));
      }
      return;
    case model::Balance::kRoundRobin:
    case model::Balance::kLeastConn:
    case model::Balance::kEwma:
      return;
  }
  const bool maglev = balance.policy == model::Balance::kMaglev;
  cluster.places = std::make_shared<const upstream::Places>(
      maglev ? upstream::Places::maglev(owners) : upstream::Places::ketama(owners));
}

void build_cluster(Draft& draft, const std::string& name) {
  const model::ResourcePtr settings = draft.after(ResourceType::kCluster, name);
  const model::ResourcePtr endpoints = draft.after(ResourceType::kEndpoints, name);
  auto cluster = std::make_shared<upstream::Cluster>();
  if (endpoints != nullptr && !read_endpoints(draft, *endpoints, cluster->endpoints)) return;
  if (settings == nullptr) return remove_cluster(draft, name);
  auto read = draft.read<model::Cluster>(*settings);
  if (!read) return;
  cluster->settings = *std::move(read);
  cluster->tls = compile_tls(draft, cluster->settings);
  if (cluster->tls != nullptr) draft.shop.tls_clusters.insert(name);
  if (!draft.shop.clusters.has(name)) draft.fresh_clusters.push_back(name);
  cluster->index = draft.shop.clusters.take(name, draft.oldest_generation);
  carry_state(draft, name, *cluster);
  place(*cluster);
  draft.next->clusters = draft.next->clusters.with(name, std::move(cluster));
  draft.changed_clusters.push_back(name);
}

// A changed trust bundle or certificate changes the clusters that name it.
void add_tls_users(Draft& draft, std::set<std::string>& names) {
  if (draft.changes.of(ResourceType::kTrust).empty() &&
      draft.changes.of(ResourceType::kCertificate).empty()) {
    return;
  }
  std::erase_if(draft.shop.tls_clusters, [&draft, &names](const std::string& name) {
    const upstream::Cluster* cluster = draft.next->clusters.find(name);
    if (cluster == nullptr) return true;
    if (tls_changed(draft, cluster->settings.tls)) names.insert(name);
    return false;
  });
}

}  // namespace

// Settings and endpoints of a cluster come apart and are joined here.
void build_clusters(Draft& draft) {
  std::set<std::string> names;
  for (const ResourceType type : {ResourceType::kCluster, ResourceType::kEndpoints}) {
    for (const auto& [name, change] : draft.changes.of(type)) names.insert(name);
  }
  add_tls_users(draft, names);
  for (const std::string& name : names) build_cluster(draft, name);
}

}  // namespace weir::snapshot
