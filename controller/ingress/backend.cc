#include "controller/ingress/backend.h"

#include "controller/ingress/cluster_name.h"
#include "controller/ingress/service_port.h"

namespace weir::ingress {
namespace {

using translate::Report;
using translate::Severity;

constexpr std::uint16_t kUnavailable = 503;

void point_at_cluster(const store::ObjectKey& service, const std::string& port,
                      const model::Cluster& settings, translate::UnitResult& result,
                      model::Route& route) {
  std::string unit = cluster_unit_name(service.ns + "/" + service.name + "/" + port, settings);
  model::WeightedBackend backend;
  backend.cluster = cluster_of_unit(unit).name;
  route.backends.push_back(std::move(backend));
  route.labels.service = service.name;
  result.wants.push_back({translate::UnitType::kCluster, std::move(unit)});
}

}  // namespace

void BackendTarget::point(const store::IngressBackend& backend, const std::string& field,
                          model::Route& route) const {
  const auto report = [&](std::string_view reason, const std::string& where,
                          const std::string& value, std::string text) {
    result.reports.push_back({ingress.key, Severity::kWarning, std::string(reason), where, value,
                              text + "; until then these requests answer 503"});
  };
  if (!backend.service) {
    route.fixed_status = kUnavailable;
    report("BackendUnsupported", field + ".resource", backend.resource, "must be a Service");
    return;
  }
  const store::ServiceRef& ref = *backend.service;
  const bool by_name = !ref.port_name.empty();
  const std::string port = by_name ? ref.port_name : std::to_string(ref.port_number);
  const store::ObjectKey key{store::Kind::kService, ingress.key.ns, ref.name};
  point_at_cluster(key, port, settings, result, route);

  const auto service = view.get<store::Service>(key.kind, key.ns, key.name);
  const std::string name_field = field + ".service.name";
  const std::string port_field = field + ".service.port." + (by_name ? "name" : "number");
  if (service == nullptr) {
    report("ServiceNotFound", name_field, ref.name, "must be a Service of namespace " + key.ns);
  } else if (is_external(*service)) {
    report("ServiceExternalName", name_field, ref.name,
           "must be a Service with endpoints; one of type ExternalName is refused, it could lead "
           "to any address");
  } else if (find_port(*service, port) == nullptr) {
    report("ServicePortNotFound", port_field, port,
           "must be a TCP port of Service " + key.ns + "/" + key.name + ", by number or name");
  }
}

bool point_at_default_backend(const Config& config, const model::Cluster& settings,
                              translate::View& view, translate::UnitResult& result,
                              model::Route& route) {
  const NamePair flag = split_name(config.default_backend_service);
  if (flag.name.empty()) return false;
  const store::ObjectKey key{store::Kind::kService, flag.ns, flag.name};
  const auto service = view.get<store::Service>(key.kind, key.ns, key.name);
  if (service != nullptr && !is_external(*service) && !service->ports.empty()) {
    point_at_cluster(key, std::to_string(service->ports.front().port), settings, result, route);
    return true;
  }
  route.fixed_status = kUnavailable;
  result.reports.push_back({.object = key,
                            .severity = Severity::kWarning,
                            .reason = "DefaultBackendInvalid",
                            .field = "--default-backend-service",
                            .value = config.default_backend_service,
                            .text = "must be a Service with a port and endpoints, not of type "
                                    "ExternalName; until then unmatched requests answer 503"});
  return true;
}

}  // namespace weir::ingress
