#include "controller/status/address.h"

#include <algorithm>
#include <tuple>

#include "common/base/ip.h"
#include "common/base/text.h"
#include "controller/ingress/config.h"

namespace weir::status {
namespace {

store::LoadBalancerAddress address_of(std::string_view text) {
  store::LoadBalancerAddress out;
  (base::is_ip_literal(text) ? out.ip : out.hostname) = text;
  return out;
}

void add_service(const store::Service& service, std::vector<store::LoadBalancerAddress>& out) {
  if (service.type == "ExternalName") {
    out.push_back(address_of(service.external_name));
    return;
  }
  if (service.type == "LoadBalancer")
    out.insert(out.end(), service.status.begin(), service.status.end());
  for (const std::string& ip : service.external_ips) out.push_back(address_of(ip));
  const bool own_address = service.type != "LoadBalancer" && service.external_ips.empty();
  if (own_address && base::is_ip_literal(service.cluster_ip))
    out.push_back(address_of(service.cluster_ip));
}

}  // namespace

std::vector<store::LoadBalancerAddress> addresses_now(const AddressSource& source,
                                                      const store::Store& store) {
  std::vector<store::LoadBalancerAddress> out;
  for (const std::string& one : source.addresses) out.push_back(address_of(base::trim(one)));
  if (!source.publish_service.empty()) {
    const ingress::NamePair name = ingress::split_name(source.publish_service);
    const auto object = store.get({store::Kind::kService, name.ns, name.name});
    if (object != nullptr) add_service(static_cast<const store::Service&>(*object), out);
  }
  const auto order = [](const store::LoadBalancerAddress& a, const store::LoadBalancerAddress& b) {
    return std::tie(a.ip, a.hostname) < std::tie(b.ip, b.hostname);
  };
  std::sort(out.begin(), out.end(), order);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace weir::status
