#include "controller/ingress/service_port.h"

#include <string>

namespace weir::ingress {
const store::ServicePort* find_port(const store::Service& service, std::string_view wanted,
                                    std::string_view protocol) {
  const auto fits = [protocol](const store::ServicePort& port) {
    return port.protocol == protocol;
  };
  for (const store::ServicePort& port : service.ports)
    if (fits(port) && (std::to_string(port.port) == wanted || port.name == wanted)) return &port;
  for (const store::ServicePort& port : service.ports)
    if (fits(port) && port.target_port == wanted) return &port;
  return nullptr;
}

}  // namespace weir::ingress
