#include "common/base/check.h"
#include "controller/store/parse.h"
#include "controller/store/store.h"

// The table of kinds: a new kind is one row here, one parser, one enumerator.

namespace weir::store {
namespace {

using IndexValues = std::vector<std::pair<Index, std::string>>;

constexpr const char* kEveryHost = "*";

void index_ingress(const Object& object, IndexValues& out) {
  const auto& ingress = static_cast<const Ingress&>(object);
  const auto add = [&out](const std::string& host) {
    out.emplace_back(Index::kIngressByHost, host.empty() ? kEveryHost : host);
  };
  for (const IngressRule& rule : ingress.rules) add(rule.host);
  for (const IngressTls& tls : ingress.tls) {
    for (const std::string& host : tls.hosts) add(host);
    if (tls.hosts.empty()) add("");
  }
  if (ingress.default_backend) add("");
}

void index_ingress_class(const Object&, IndexValues& out) {
  out.emplace_back(Index::kIngressClasses, "");
}

void index_slice(const Object& object, IndexValues& out) {
  const auto& slice = static_cast<const EndpointSlice&>(object);
  if (!slice.service.empty())
    out.emplace_back(Index::kSlicesByService, slice.key.ns + "/" + slice.service);
}

void index_settings(const Object&, IndexValues& out) { out.emplace_back(Index::kWeirSettings, ""); }

void index_nothing(const Object&, IndexValues&) {}

constexpr std::string_view kNetworking = "networking.k8s.io";
constexpr std::string_view kDiscovery = "discovery.k8s.io";

kubernetes::KindDescriptor all(std::string_view kind, std::string_view group,
                               std::string_view plural) {
  return {.kind = kind, .group = group, .version = "v1", .plural = plural};
}

std::vector<KindRow> make_rows() {
  auto classes = all("IngressClass", kNetworking, "ingressclasses");
  classes.namespaced = false;
  auto secrets = all("Secret", "", "secrets");
  secrets.fetch = kubernetes::Fetch::kOnDemand;
  auto maps = all("ConfigMap", "", "configmaps");
  maps.fetch = kubernetes::Fetch::kOnDemand;
  auto settings = all("WeirSettings", "weir.ingress", "weirsettings");
  settings.version = "v1alpha1";
  settings.required = false;
  return {
      {Kind::kIngress, all("Ingress", kNetworking, "ingresses"), parse_ingress, index_ingress},
      {Kind::kIngressClass, classes, parse_ingress_class, index_ingress_class},
      {Kind::kService, all("Service", "", "services"), parse_service, index_nothing},
      {Kind::kEndpointSlice, all("EndpointSlice", kDiscovery, "endpointslices"),
       parse_endpoint_slice, index_slice},
      {Kind::kSecret, secrets, parse_secret, index_nothing},
      {Kind::kConfigMap, maps, parse_config_map, index_nothing},
      {Kind::kWeirSettings, settings, parse_weir_settings, index_settings},
  };
}

}  // namespace

const std::vector<KindRow>& kind_rows() {
  static const std::vector<KindRow> rows = make_rows();
  return rows;
}

const KindRow& row(Kind kind) {
  const KindRow& found = kind_rows()[static_cast<std::size_t>(kind)];
  WEIR_CHECK(found.kind == kind);
  return found;
}

const KindRow* row_of(const kubernetes::KindDescriptor& descriptor) {
  for (const KindRow& one : kind_rows()) {
    if (one.descriptor.kind == descriptor.kind && one.descriptor.group == descriptor.group)
      return &one;
  }
  return nullptr;
}

std::vector<kubernetes::KindDescriptor> descriptors() {
  std::vector<kubernetes::KindDescriptor> out;
  for (const KindRow& one : kind_rows()) out.push_back(one.descriptor);
  return out;
}

std::string ObjectKey::to_string() const {
  const std::string kind_name(row(kind).descriptor.kind);
  return kind_name + " " + (ns.empty() ? "" : ns + "/") + name;
}

}  // namespace weir::store
