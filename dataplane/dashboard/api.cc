#include "dataplane/dashboard/api.h"

#include <map>

#include "common/base/text.h"
#include "dataplane/dashboard/words.h"
#include "dataplane/exchange/route_plan.h"

namespace weir::dashboard {
namespace {

using base::Json;

constexpr std::int64_t kSoon = 14 * 24 * 3600;  // a certificate that has less left is a problem
constexpr std::size_t kMostProblems = 200;

std::int64_t number(std::size_t value) { return static_cast<std::int64_t>(value); }

bool takes_requests(const upstream::Endpoint& endpoint) {
  return endpoint.state == nullptr ||
         (endpoint.state->healthy() && !endpoint.state->ejected(base::system_clock().now()));
}

// Why a cluster serves nobody; empty: it does.
std::string trouble_of(const exchange::Snapshot& snapshot, const std::string& name) {
  const upstream::Cluster* cluster = snapshot.clusters.find(name);
  if (cluster == nullptr || cluster->endpoints.empty()) return "no endpoint of " + name;
  if (cluster->tls != nullptr && !cluster->tls->broken.empty()) return cluster->tls->broken;
  for (const upstream::Endpoint& endpoint : cluster->endpoints) {
    if (takes_requests(endpoint)) return "";
  }
  return "every endpoint of " + name + " is out";
}

std::string trouble_of(const exchange::Snapshot& snapshot, const exchange::RoutePlan& plan) {
  if (!plan.unavailable.empty()) return plan.unavailable;
  std::string first;
  for (const exchange::BackendPlan& backend : plan.backends) {
    std::string trouble = backend.invalid ? backend.reason : trouble_of(snapshot, backend.cluster);
    if (backend.invalid && trouble.empty()) trouble = "an invalid backend";
    if (first.empty()) first = std::move(trouble);
  }
  return first;
}

// What a host without a default backend has at its end.
bool only_says_404(const exchange::RoutePlan& plan) {
  return plan.backends.empty() && plan.unavailable.empty() && plan.route().fixed_status == 404;
}

template <typename Visit>
void each_route(const exchange::Snapshot& snapshot, Visit visit) {
  std::map<std::string, const exchange::RoutePlan*> sorted;
  snapshot.tables.for_each([&](std::string_view, const routing::RouteTable& table) {
    for (const routing::RouteTargetPtr& target : table.routes()) {
      const auto& plan = static_cast<const exchange::RoutePlan&>(*target);
      if (only_says_404(plan)) continue;
      const model::Route& route = plan.route();
      sorted.emplace(route.host + "\n" + route.match.path.value + "\n" + route.table + route.id,
                     &plan);
    }
  });
  for (const auto& [key, plan] : sorted) visit(*plan);
}

template <typename Value, typename Visit>
void each_sorted(const base::PersistentMap<Value>& map, Visit visit) {
  std::map<std::string, const Value*> sorted;
  map.for_each([&](std::string_view name, const Value& value) {
    sorted.emplace(std::string(name), &value);
  });
  for (const auto& [name, value] : sorted) visit(name, *value);
}

Json conditions(const model::RouteMatch& match) {
  Json out = Json::array();
  if (!match.method.empty()) out.push("method " + match.method);
  for (const model::ValueMatch& one : match.headers)
    out.push("header " + one.name + " = " + one.value);
  for (const model::ValueMatch& one : match.query)
    out.push("query " + one.name + " = " + one.value);
  return out;
}

Json route_entry(const exchange::Snapshot& snapshot, const exchange::RoutePlan& plan) {
  const model::Route& route = plan.route();
  Json out = Json::object();
  out.set("host", route.host);
  out.set("path", route.match.path.value);
  out.set("kind", kind_of(route.match.path));
  if (Json more = conditions(route.match); !more.items().empty())
    out.set("conditions", std::move(more));
  out.set("owner", owner_of(route.provenance));
  out.set("field", route.provenance.field_path);
  // By these the counters of traffic() are found.
  Json labels = Json::array();
  for (const std::string* label : {&route.host, &route.labels.path, &route.labels.ns,
                                   &route.labels.ingress, &route.labels.service})
    labels.push(*label);
  out.set("labels", std::move(labels));
  Json backends = Json::array();
  for (const exchange::BackendPlan& backend : plan.backends) {
    Json one = Json::object();
    one.set("cluster", backend.cluster);
    one.set("weight", number(backend.weight));
    backends.push(std::move(one));
  }
  out.set("backends", std::move(backends));
  if (plan.backends.empty() && plan.unavailable.empty()) out.set("answers", route.fixed_status);
  Json policies = Json::array();
  for (const std::string& key : route.policies) policies.push(key.substr(0, key.find('/')));
  out.set("policies", std::move(policies));
  if (const std::string trouble = trouble_of(snapshot, plan); !trouble.empty())
    out.set("trouble", trouble);
  return out;
}

bool contains(const model::Route& route, const std::string& lower) {
  if (lower.empty()) return true;
  const std::string text = route.host + route.match.path.value + "\n" + owner_of(route.provenance) +
                           "\n" + route.labels.service;
  return base::to_lower(text).find(lower) != std::string::npos;
}

void add_problem(Json& list, const char* what, std::string where, std::string text) {
  if (list.items().size() >= kMostProblems) return;
  Json one = Json::object();
  one.set("kind", what);
  one.set("where", std::move(where));
  one.set("text", std::move(text));
  list.push(std::move(one));
}

void add_certificate_problems(const exchange::Snapshot& snapshot, std::int64_t now, Json& list) {
  each_sorted(snapshot.certificates, [&](const std::string& name, const auto& entry) {
    const std::int64_t left = entry.facts.not_after - now;
    if (left <= 0) {
      add_problem(list, "certificate", name, "has expired");
    } else if (left < kSoon) {
      add_problem(list, "certificate", name,
                  "expires in " + std::to_string(left / (24 * 3600)) + " days");
    }
  });
}

Json listeners(const exchange::Snapshot& snapshot) {
  Json out = Json::array();
  each_sorted(snapshot.listeners, [&](const std::string& name, const model::Listener& listener) {
    Json one = Json::object();
    one.set("name", name);
    one.set("protocol", enum_names(listener.protocol)[static_cast<std::size_t>(listener.protocol)]);
    Json binds = Json::array();
    for (const model::Bind& bind : listener.binds) {
      const bool v6 = bind.address.find(':') != std::string::npos;
      binds.push((v6 ? "[" + bind.address + "]" : bind.address) + ":" + std::to_string(bind.port));
    }
    one.set("binds", std::move(binds));
    out.push(std::move(one));
  });
  return out;
}

// Counters of one route while the families are read.
struct Counts {
  Json labels;
  double requests = 0, client_errors = 0, server_errors = 0, timed = 0;
  std::map<double, double> latency;
};

std::string label(const base::MetricLabels& labels, std::string_view name) {
  for (const auto& [key, value] : labels) {
    if (key == name) return value;
  }
  return "";
}

Counts& counts_of(std::map<std::string, Counts>& all, const base::MetricLabels& labels) {
  std::string key;
  Json names = Json::array();
  for (const char* name : {"host", "path", "namespace", "ingress", "service"}) {
    std::string value = label(labels, name);
    key += value + "\n";
    names.push(std::move(value));
  }
  Counts& out = all[key];
  if (out.labels.is_null()) out.labels = std::move(names);
  return out;
}

void add_requests(const base::Family& family, std::map<std::string, Counts>& all) {
  for (const base::Sample& sample : family.samples) {
    Counts& counts = counts_of(all, sample.labels);
    counts.requests += sample.value;
    const std::string status = label(sample.labels, "status");
    if (status.starts_with('4')) counts.client_errors += sample.value;
    if (status.starts_with('5')) counts.server_errors += sample.value;
  }
}

void add_latency(const base::Family& family, std::map<std::string, Counts>& all) {
  for (const base::HistogramSample& sample : family.histograms) {
    Counts& counts = counts_of(all, sample.labels);
    counts.timed += static_cast<double>(sample.count);
    for (const auto& [bound, count] : sample.buckets)
      counts.latency[bound] += static_cast<double>(count);
  }
}

}  // namespace

Json overview(const exchange::Snapshot& snapshot, std::int64_t now) {
  Json problems = Json::array();
  std::size_t route_count = 0;
  std::size_t broken = 0;
  each_route(snapshot, [&](const exchange::RoutePlan& plan) {
    ++route_count;
    const std::string trouble = trouble_of(snapshot, plan);
    if (trouble.empty()) return;
    ++broken;
    const model::Route& route = plan.route();
    add_problem(problems, "route", route.host + route.match.path.value,
                trouble + " (" + owner_of(route.provenance) + ")");
  });
  std::size_t all = 0;
  std::size_t out_of_service = 0;
  snapshot.clusters.for_each([&](std::string_view, const upstream::Cluster& cluster) {
    all += cluster.endpoints.size();
    for (const upstream::Endpoint& endpoint : cluster.endpoints)
      out_of_service += takes_requests(endpoint) ? 0 : 1;
  });
  add_certificate_problems(snapshot, now, problems);
  std::size_t hosts = 0;
  snapshot.tables.for_each(
      [&](std::string_view, const routing::RouteTable& table) { hosts += table.host_count(); });
  Json out = Json::object();
  out.set("version", static_cast<std::int64_t>(snapshot.version));
  out.set("now", now);
  out.set("hosts", number(hosts));
  out.set("routes", number(route_count));
  out.set("routes_in_trouble", number(broken));
  out.set("clusters", number(snapshot.clusters.size()));
  out.set("endpoints", number(all));
  out.set("endpoints_out", number(out_of_service));
  out.set("certificates", number(snapshot.certificates.size()));
  out.set("listeners", listeners(snapshot));
  out.set("problems", std::move(problems));
  return out;
}

Json routes(const exchange::Snapshot& snapshot, const RouteFilter& filter) {
  const std::string lower = base::to_lower(filter.search);
  std::size_t total = 0;
  std::size_t matched = 0;
  Json list = Json::array();
  each_route(snapshot, [&](const exchange::RoutePlan& plan) {
    ++total;
    if (!contains(plan.route(), lower)) return;
    if (++matched <= filter.limit) list.push(route_entry(snapshot, plan));
  });
  Json out = Json::object();
  out.set("version", static_cast<std::int64_t>(snapshot.version));
  out.set("total", number(total));
  out.set("matched", number(matched));
  out.set("routes", std::move(list));
  return out;
}

Json endpoints(const exchange::Snapshot& snapshot) {
  Json list = Json::array();
  each_sorted(snapshot.clusters, [&](const std::string& name, const upstream::Cluster& cluster) {
    Json one = Json::object();
    one.set("cluster", name);
    one.set("service", cluster.settings.ns + "/" + cluster.settings.service);
    one.set("port", cluster.settings.port);
    if (cluster.tls != nullptr) one.set("tls", cluster.tls->broken.empty() ? "on" : "broken");
    Json members = Json::array();
    for (const upstream::Endpoint& endpoint : cluster.endpoints) {
      Json member = Json::object();
      member.set("address", endpoint.id);
      if (!endpoint.zone.empty()) member.set("zone", endpoint.zone);
      member.set("state", state_of(endpoint));
      if (endpoint.state != nullptr && endpoint.state->counts())
        member.set("requests", number(endpoint.state->requests()));
      members.push(std::move(member));
    }
    one.set("endpoints", std::move(members));
    list.push(std::move(one));
  });
  Json out = Json::object();
  out.set("clusters", std::move(list));
  return out;
}

Json certificates(const exchange::Snapshot& snapshot) {
  std::map<std::string, std::vector<std::string>> hosts;
  each_route(snapshot, [&](const exchange::RoutePlan& plan) {
    const routing::RouteTable* table = snapshot.tables.find(plan.route().table);
    const model::Host* host = table == nullptr ? nullptr : table->host(plan.route().host);
    if (host == nullptr) return;
    for (const std::string& name : host->certificates) {
      auto& list = hosts[name];
      if (list.empty() || list.back() != host->name) list.push_back(host->name);
    }
  });
  Json list = Json::array();
  each_sorted(snapshot.certificates, [&](const std::string& name, const auto& entry) {
    Json one = Json::object();
    one.set("name", name);
    one.set("names", base::encode(entry.facts.names));
    one.set("not_after", entry.facts.not_after);
    one.set("fingerprint", entry.facts.fingerprint);
    one.set("key_type", entry.facts.key_type);
    one.set("hosts", base::encode(hosts[name]));
    list.push(std::move(one));
  });
  Json out = Json::object();
  out.set("certificates", std::move(list));
  return out;
}

Json traffic(const std::vector<base::Family>& families, std::int64_t now) {
  std::map<std::string, Counts> all;
  Json totals = Json::object();
  for (const base::Family& family : families) {
    if (family.name == "nginx_ingress_controller_requests") add_requests(family, all);
    if (family.name == "nginx_ingress_controller_request_duration_seconds")
      add_latency(family, all);
    if (family.name == "weir_unrouted_requests_total" && !family.samples.empty())
      totals.set("unrouted", family.samples.front().value);
    if (family.name != "nginx_ingress_controller_nginx_process_connections") continue;
    for (const base::Sample& sample : family.samples)
      totals.set("connections_" + label(sample.labels, "state"), sample.value);
  }
  Json list = Json::array();
  for (auto& [key, counts] : all) {
    Json one = Json::object();
    one.set("labels", std::move(counts.labels));
    one.set("requests", counts.requests);
    one.set("client_errors", counts.client_errors);
    one.set("server_errors", counts.server_errors);
    Json latency = Json::array();
    for (const auto& [bound, count] : counts.latency) {
      Json bucket = Json::array();
      bucket.push(bound);
      bucket.push(count);
      latency.push(std::move(bucket));
    }
    one.set("timed", counts.timed);
    one.set("latency", std::move(latency));
    list.push(std::move(one));
  }
  Json out = Json::object();
  out.set("now", now);
  out.set("totals", std::move(totals));
  out.set("routes", std::move(list));
  return out;
}

}  // namespace weir::dashboard
