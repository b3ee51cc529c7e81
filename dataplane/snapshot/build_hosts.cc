#include "dataplane/snapshot/draft.h"

namespace weir::snapshot {
namespace {

void remove_host(Draft& draft, const std::string& key) {
  const std::size_t slash = key.find('/');  // "table/host"
  routing::RouteTable& table = draft.table(key.substr(0, slash));
  table = table.without_host(key.substr(slash + 1));
}

}  // namespace

void build_hosts(Draft& draft) {
  for (const auto& [name, change] : draft.changes.of(model::ResourceType::kHost)) {
    if (change.after == nullptr) {
      remove_host(draft, name);
      continue;
    }
    auto host = draft.read<model::Host>(*change.after);
    if (!host) continue;
    for (const std::string& certificate : host->certificates) {
      if (draft.next->certificates.find(certificate) != nullptr) continue;
      draft.degrade(change.after->key, "certificate '" + certificate + "' is not there");
    }
    const std::string trust = host->client_tls ? host->client_tls->trust : "";
    if (!trust.empty() && draft.next->trusts.find(trust) == nullptr) {
      draft.degrade(change.after->key, "client_tls.trust: '" + trust + "' is not there");
    }
    if (host->passthrough) check_clusters(draft, change.after->key, *host->passthrough);
    routing::RouteTable& table = draft.table(host->table);
    table = table.with_host(*std::move(host));
  }
}

}  // namespace weir::snapshot
