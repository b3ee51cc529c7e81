#include "dataplane/snapshot/dump.h"

#include <map>

#include "common/base/fields.h"
#include "dataplane/exchange/route_plan.h"

namespace weir::snapshot {
namespace {

using base::Json;

Json strings(const std::vector<std::string>& from) { return base::encode(from); }

Json stems(const exchange::FilterChain& chain) {
  // A filter stands in one list per hook; by slot it is there once.
  std::map<std::uint32_t, std::string> by_slot;
  for (std::size_t hook = 0; hook < exchange::kHooks; ++hook) {
    for (const auto& entry : chain.at(static_cast<exchange::Hook>(hook))) {
      by_slot.emplace(entry.slot, entry.filter->stem());
    }
  }
  Json out = Json::array();
  for (const auto& [slot, stem] : by_slot) out.push(stem);
  return out;
}

Json dump_route(const exchange::RoutePlan& plan) {
  Json out = base::encode(plan.route());
  out.set("filters", stems(plan.filters));
  if (!plan.unavailable.empty()) out.set("unavailable", plan.unavailable);
  Json backends = Json::array();
  for (std::size_t i = 0; i < plan.backends.size(); ++i) {
    Json one = base::encode(plan.route().backends[i]);
    one.set("filters", stems(plan.backends[i].filters));
    backends.push(std::move(one));
  }
  out.set("backends", std::move(backends));
  return out;
}

Json dump_table(const routing::RouteTable& table) {
  std::map<std::string, Json> routes;
  std::map<std::string, Json> hosts;
  for (const routing::RouteTargetPtr& target : table.routes()) {
    const model::Route& route = target->route();
    routes.emplace(route.host + "/" + route.id,
                   dump_route(static_cast<const exchange::RoutePlan&>(*target)));
    const model::Host* const host = table.host(route.host);
    if (host != nullptr) hosts.emplace(host->name, base::encode(*host));
  }
  Json out = Json::object();
  Json host_list = Json::array();
  for (auto& [name, host] : hosts) host_list.push(std::move(host));
  Json route_list = Json::array();
  for (auto& [name, route] : routes) route_list.push(std::move(route));
  out.set("host_count", static_cast<std::int64_t>(table.host_count()));
  out.set("hosts", std::move(host_list));
  out.set("routes", std::move(route_list));
  return out;
}

Json dump_cluster(const upstream::Cluster& cluster) {
  Json out = base::encode(cluster.settings);
  Json endpoints = Json::array();
  for (const upstream::Endpoint& endpoint : cluster.endpoints) {
    Json one = Json::object();
    one.set("id", endpoint.id);
    one.set("address", endpoint.address.to_string());
    one.set("weight", static_cast<std::int64_t>(endpoint.weight));
    if (!endpoint.zone.empty()) one.set("zone", endpoint.zone);
    const shared::EndpointState& state = *endpoint.state;
    one.set("healthy", state.healthy());
    one.set("ejected", state.ejected(base::system_clock().now()));
    if (state.counts()) one.set("requests", static_cast<std::int64_t>(state.requests()));
    endpoints.push(std::move(one));
  }
  if (cluster.tls != nullptr && !cluster.tls->broken.empty()) {
    out.set("tls_unavailable", cluster.tls->broken);
  }
  out.set("endpoints", std::move(endpoints));
  return out;
}

// The facts name neither the key nor the chain's bytes.
Json dump_certificate(const transport::CertificateEntry& entry) {
  Json out = Json::object();
  out.set("name", entry.facts.name);
  out.set("names", strings(entry.facts.names));
  out.set("not_after", entry.facts.not_after);
  out.set("fingerprint", entry.facts.fingerprint);
  out.set("key_type", entry.facts.key_type);
  out.set("chain_length", static_cast<std::int64_t>(entry.chain.size()));
  return out;
}

Json dump_trust(const transport::TrustEntry& entry) {
  Json out = Json::object();
  out.set("certificates", static_cast<std::int64_t>(entry.certificates.size()));
  out.set("crls", static_cast<std::int64_t>(entry.crls.size()));
  out.set("hash", entry.hash);
  return out;
}

template <typename Value, typename Show>
Json sorted(const base::PersistentMap<Value>& map, Show show) {
  std::map<std::string, Json> by_name;
  map.for_each(
      [&](std::string_view name, const Value& value) { by_name.emplace(name, show(value)); });
  Json out = Json::object();
  for (auto& [name, json] : by_name) out.set(name, std::move(json));
  return out;
}

}  // namespace

Json dump(const exchange::Snapshot& snapshot) {
  Json out = Json::object();
  out.set("version", static_cast<std::int64_t>(snapshot.version));
  out.set("settings", base::encode(snapshot.settings));
  out.set("ticket_keys", static_cast<std::int64_t>(snapshot.tickets.keys.size()));
  out.set("listeners", sorted(snapshot.listeners, [](const model::Listener& listener) {
            return base::encode(listener);
          }));
  out.set("tables", sorted(snapshot.tables, dump_table));
  out.set("clusters", sorted(snapshot.clusters, dump_cluster));
  out.set("certificates", sorted(snapshot.certificates, dump_certificate));
  out.set("trusts", sorted(snapshot.trusts, dump_trust));
  return out;
}

}  // namespace weir::snapshot
