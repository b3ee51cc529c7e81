#include <algorithm>
#include <set>

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
  if (from.weight > 0) out.push_back({from.id, address.value(), from.weight});
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
  if (cluster->settings.protocol != model::UpstreamProtocol::kHttp1) {
    draft.degrade(settings->key, "protocol: this dataplane speaks only http1 to backends");
  }
  if (!draft.shop.clusters.has(name)) draft.fresh_clusters.push_back(name);
  cluster->index = draft.shop.clusters.take(name, draft.oldest_generation);
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
