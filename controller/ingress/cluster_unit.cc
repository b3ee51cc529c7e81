#include <map>

#include "common/base/ip.h"
#include "common/base/text.h"
#include "common/model/cluster.h"
#include "controller/ingress/builders.h"
#include "controller/ingress/cluster_name.h"
#include "controller/ingress/service_port.h"

// One Service port with the endpoints of all its slices. Without Service, port or endpoint the
// cluster exists and is empty: its requests answer 503, and the hosts that name it report why.

namespace weir::ingress {
namespace {

struct Gathered {
  model::Endpoint endpoint;
  bool ready = false;
  bool draining = false;  // serving while terminating
};
// By id: during an update one endpoint may stand in two slices; the better state counts.
using GatheredById = std::map<std::string, Gathered>;

// The port that the pods listen on, 0 when the slice does not have it. A slice port without number
// means every port: then the Service's own target counts.
std::int32_t port_in_slice(const store::EndpointSlice& slice, const store::ServicePort& wanted) {
  for (const store::SlicePort& port : slice.ports) {
    if (port.name != wanted.name || port.protocol != wanted.protocol) continue;
    if (port.port != 0) return port.port;
    const auto target = base::parse_int(wanted.target_port);
    return target ? static_cast<std::int32_t>(*target) : wanted.port;
  }
  return 0;
}

// Why this address must not be connected to; empty: it may.
std::string refusal(const Config& config, const base::SocketAddress& address) {
  if (address.is_link_local()) return "must not be link-local: metadata services live there";
  if (address.is_loopback() && !config.allow_loopback_endpoints)
    return "must not be a loopback address";
  const std::string ip = address.ip();
  if (ip == "0.0.0.0" || ip == "::") return "must be the address of a host";
  return {};
}

// What a Service port says of its protocol (Kubernetes' standard names, and "grpc" as meshes use
// it). Anything else is HTTP/1.1, as without it.
void follow_app_protocol(std::string_view name, model::Cluster& cluster) {
  if (name == "kubernetes.io/h2c" || name == "grpc")
    cluster.protocol = model::UpstreamProtocol::kHttp2;
  if (name == "https" || name == "kubernetes.io/wss") cluster.tls.enabled = true;
}

// Kubernetes' own word for it on the Service.
bool wants_zone(const store::Service& service) {
  const auto mode = service.annotations.find("service.kubernetes.io/topology-mode");
  return mode != service.annotations.end() && base::equals_ignore_case(mode->second, "auto");
}

// The Service's own address instead of its endpoints'. A headless one has none: then its endpoints
// serve.
std::optional<model::Endpoint> service_endpoint(const Config& config, const store::Service& service,
                                                const store::ServicePort& port) {
  const auto number = static_cast<std::uint16_t>(port.port);
  const auto address = base::SocketAddress::parse(service.cluster_ip, number);
  if (!address.ok() || !refusal(config, address.value()).empty()) return std::nullopt;
  model::Endpoint endpoint;
  endpoint.id = address.value().to_string();
  endpoint.address = address.value().ip();
  endpoint.port = number;
  return endpoint;
}

class SliceReader {
 public:
  SliceReader(const Config& config, translate::UnitResult& result)
      : config_(config), result_(result) {}

  void read(const store::EndpointSlice& slice, const store::ServicePort& wanted) {
    const std::int32_t port = port_in_slice(slice, wanted);
    if (port == 0) return;
    for (std::size_t i = 0; i < slice.endpoints.size(); ++i)
      read_endpoint(slice, i, static_cast<std::uint16_t>(port));
  }

  // Ready ones; when there is none, those that still serve while they terminate, so that a rollout
  // never leaves a Service without a backend.
  std::vector<model::Endpoint> choose() {
    bool any_ready = false;
    for (const auto& [id, one] : gathered_) any_ready = any_ready || one.ready;
    std::vector<model::Endpoint> out;
    for (auto& [id, one] : gathered_)
      if (any_ready ? one.ready : one.draining) out.push_back(std::move(one.endpoint));
    return out;
  }

 private:
  void read_endpoint(const store::EndpointSlice& slice, std::size_t i, std::uint16_t port) {
    const store::SliceEndpoint& from = slice.endpoints[i];
    const auto address = base::SocketAddress::parse(from.address, port);
    const std::string why =
        address.ok() ? refusal(config_, address.value()) : "must be an IPv4 or IPv6 address";
    if (!why.empty()) {
      result_.reports.push_back({.object = slice.key,
                                 .severity = translate::Severity::kWarning,
                                 .reason = "EndpointRefused",
                                 .field = "endpoints[" + std::to_string(i) + "].addresses[0]",
                                 .value = from.address,
                                 .text = why + "; it gets no traffic"});
      return;
    }
    const std::string id = address.value().to_string();
    Gathered& into = gathered_[id];
    into.endpoint.id = id;
    into.endpoint.address = address.value().ip();
    into.endpoint.port = port;
    if (!from.zone.empty()) into.endpoint.zone = from.zone;
    into.ready = into.ready || from.ready;
    into.draining = into.draining || (from.serving && from.terminating);
  }

  const Config& config_;
  translate::UnitResult& result_;
  GatheredById gathered_;
};

}  // namespace

translate::UnitResult build_cluster(const Config& config, const std::string& name,
                                    translate::View& view) {
  translate::UnitResult result;
  model::Cluster cluster = cluster_of_unit(name);
  model::Endpoints endpoints;
  endpoints.cluster = cluster.name;
  const auto service = view.get<store::Service>(store::Kind::kService, cluster.ns, cluster.service);
  const store::ServicePort* port = nullptr;
  if (service != nullptr && !is_external(*service))
    port = find_port(*service, cluster.port, cluster.udp ? "UDP" : "TCP");
  if (port != nullptr) {
    if (!cluster.protocol_chosen) follow_app_protocol(port->app_protocol, cluster);
    if (wants_zone(*service)) cluster.balance.prefer_zone = true;
    SliceReader reader(config, result);
    const std::string index = cluster.ns + "/" + cluster.service;
    for (const auto& slice : view.find<store::EndpointSlice>(store::Index::kSlicesByService, index))
      reader.read(*slice, *port);
    endpoints.endpoints = reader.choose();
    auto own = cluster.service_upstream ? service_endpoint(config, *service, *port) : std::nullopt;
    if (own) endpoints.endpoints = {*std::move(own)};
  }
  result.resources.push_back(model::make_resource(endpoints));
  result.resources.push_back(model::make_resource(cluster));
  return result;
}

}  // namespace weir::ingress
