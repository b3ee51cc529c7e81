#include "controller/ingress/service_port.h"

#include <string>

namespace weir::ingress {
namespace {

bool is_tcp(const store::ServicePort& port) { return port.protocol == "TCP"; }

}  // namespace

const store::ServicePort* find_port(const store::Service& service, std::string_view wanted) {
  for (const store::ServicePort& port : service.ports)
    if (is_tcp(port) && (std::to_string(port.port) == wanted || port.name == wanted)) return &port;
  for (const store::ServicePort& port : service.ports)
    if (is_tcp(port) && port.target_port == wanted) return &port;
  return nullptr;
}

}  // namespace weir::ingress
