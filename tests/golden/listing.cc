#include "tests/golden/listing.h"

#include "common/base/check.h"

namespace weir::golden {
namespace {

template <typename T>
T read(const model::Resource& resource) {
  auto value = model::read_resource<T>(resource);
  WEIR_CHECK(value.ok());
  return std::move(value).value();
}

using Resources = std::map<model::ResourceKey, model::ResourcePtr>;

// "body_size {"max_bytes":1048576}", with the sizes of its secrets.
std::string policy_line(const Resources& resources, const std::string& name) {
  const auto found = resources.find({model::ResourceType::kPolicy, name});
  if (found == resources.end()) return name + " MISSING";
  const model::Resource& policy = *found->second;
  std::string out = name.substr(0, name.find('/')) + " " + policy.blobs[0];
  for (std::size_t i = 1; i < policy.blobs.size(); ++i)
    out += " + " + std::to_string(policy.blobs[i].size()) + " secret bytes";
  return out;
}

// The features that nearly every route has are left out, so that a case shows what it is about.
bool is_usual(const std::string& line) { return line == "hsts {}" || line == "body_size {}"; }

template <typename Settings>
void set_unless_default(base::Json& out, std::string_view name, const Settings& settings) {
  const std::string text = base::encode(settings).to_string();
  if (text != "{}") out.set(name, text);
}

base::Json route_of(const Resources& resources, const model::Resource& resource) {
  const auto route = read<model::Route>(resource);
  base::Json out = base::Json::object();
  const std::string kind(
      enum_names(route.match.path.kind)[static_cast<std::size_t>(route.match.path.kind)]);
  out.set("match", route.host + " " + kind + " " + route.match.path.value);
  std::string to = route.backends.empty() ? std::to_string(route.fixed_status) : "";
  for (const auto& backend : route.backends) {
    to += backend.cluster;
    if (!resources.contains({model::ResourceType::kCluster, backend.cluster})) to += " MISSING";
  }
  out.set("to", to);
  if (!route.deny_reason.empty()) out.set("denied", route.deny_reason);
  set_unless_default(out, "timeouts", route.timeouts);
  set_unless_default(out, "retry", route.retry);
  if (!route.hash_on.empty()) out.set("hash_on", route.hash_on);
  if (route.cookie) out.set("cookie", "cookie " + base::encode(*route.cookie).to_string());
  out.set("from", route.provenance.kind + " " + route.provenance.ns + "/" + route.provenance.name +
                      " " + route.provenance.field_path);
  base::Json policies = base::Json::array();
  std::size_t usual = 0;
  for (const std::string& name : route.policies) {
    const std::string line = policy_line(resources, name);
    if (is_usual(line)) {
      ++usual;
    } else {
      policies.push(line);
    }
  }
  if (usual != 2) policies.push(std::to_string(usual) + " of the 2 usual policies");
  if (!policies.items().empty()) out.set("policies", policies);
  return out;
}

std::string certificates_line(const std::vector<std::string>& names, const Resources& resources) {
  std::string out;
  for (const std::string& name : names) {
    out += (out.empty() ? "" : ", ") + name;
    if (!resources.contains({model::ResourceType::kCertificate, name})) out += " MISSING";
  }
  return out;
}

// A cluster that is asked for and is not there is said.
std::string stream_line(const model::StreamRule& rule, const Resources& resources) {
  std::string out = base::encode(rule).to_string();
  for (const auto& backend : rule.backends) {
    if (!backend.invalid && !resources.contains({model::ResourceType::kCluster, backend.cluster}))
      out += " " + backend.cluster + " MISSING";
  }
  return out;
}

std::string host_line(const model::Resource& resource, const Resources& resources) {
  const auto host = read<model::Host>(resource);
  std::string out = host.name;
  if (host.fall_through) out += " (falls through)";
  if (!host.certificates.empty()) out += ": " + certificates_line(host.certificates, resources);
  if (host.passthrough) out += " passthrough " + stream_line(*host.passthrough, resources);
  if (!host.client_tls) return out;
  out += " client_tls " + base::encode(*host.client_tls).to_string();
  if (!resources.contains({model::ResourceType::kTrust, host.client_tls->trust})) out += " MISSING";
  return out;
}

std::string endpoints_line(const model::Resource& resource) {
  const auto endpoints = read<model::Endpoints>(resource);
  std::string out = endpoints.cluster + ":";
  for (const auto& one : endpoints.endpoints)
    out += " " + one.id + (one.zone.empty() ? "" : "@" + one.zone);
  return out;
}

// A cluster that is not like the others: its name, and what it has that they have not.
std::string cluster_line(const model::Resource& resource) {
  auto cluster = read<model::Cluster>(resource);
  const std::string name = cluster.name;
  cluster.name.clear();
  cluster.ns.clear();
  cluster.service.clear();
  cluster.port.clear();
  const std::string settings = base::encode(cluster).to_string();
  return settings == "{}" ? "" : name + " " + settings;
}

std::string report_line(const translate::Report& report) {
  return report.object.to_string() + ": " + report.reason + ": " + report.field + " \"" +
         report.value + "\": " + report.text;
}

base::Json listeners_of(const Resources& resources) {
  base::Json out = base::Json::array();
  for (const auto& [key, resource] : resources) {
    if (key.type != model::ResourceType::kListener) continue;
    const auto listener = read<model::Listener>(*resource);
    std::string line =
        listener.name + ": " + certificates_line(listener.default_certificates, resources);
    if (listener.proxy_protocol) line += " with proxy_protocol";
    if (listener.stream != model::StreamRule{})
      line += " stream " + stream_line(listener.stream, resources);
    out.push(std::move(line));
  }
  return out;
}

}  // namespace

base::Json listing(const translate::Engine& engine) {
  const Resources& resources = engine.resources();
  base::Json hosts = base::Json::array();
  base::Json routes = base::Json::array();
  base::Json endpoints = base::Json::array();
  base::Json clusters = base::Json::array();
  base::Json trusts = base::Json::array();
  std::string settings;
  for (const auto& [key, resource] : resources) {
    if (key.type == model::ResourceType::kCluster) {
      if (std::string line = cluster_line(*resource); !line.empty()) clusters.push(std::move(line));
    }
    if (key.type == model::ResourceType::kSettings)
      settings = base::encode(read<model::Settings>(*resource)).to_string();
    if (key.type == model::ResourceType::kTrust)
      trusts.push(base::encode(read<model::Trust>(*resource)).to_string());
    if (key.type == model::ResourceType::kHost) hosts.push(host_line(*resource, resources));
    if (key.type == model::ResourceType::kRoute) routes.push(route_of(resources, *resource));
    if (key.type == model::ResourceType::kEndpoints) endpoints.push(endpoints_line(*resource));
  }
  base::Json reports = base::Json::array();
  for (const auto& report : engine.reports()) reports.push(report_line(report));
  base::Json wanted = base::Json::array();
  for (const auto& key : engine.wanted()) wanted.push(key.to_string());
  base::Json out = base::Json::object();
  out.set("listeners", listeners_of(resources));
  out.set("hosts", hosts);
  out.set("routes", routes);
  if (!clusters.items().empty()) out.set("clusters", clusters);
  if (!trusts.items().empty()) out.set("trusts", trusts);
  if (settings != "{}") out.set("settings", settings);
  out.set("endpoints", endpoints);
  out.set("reports", reports);
  out.set("wanted", wanted);
  return out;
}

}  // namespace weir::golden
