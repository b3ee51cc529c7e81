#pragma once

#include <string_view>

#include "controller/store/object.h"

namespace weir::ingress {

// The port of a Service that an Ingress means by a number or a name: the Service's port number or
// name; else, as ingress-nginx has it, a targetPort of that number or name. Only of that protocol.
// Null when there is none.
const store::ServicePort* find_port(const store::Service& service, std::string_view wanted,
                                    std::string_view protocol = "TCP");

inline bool is_external(const store::Service& service) { return service.type == "ExternalName"; }

}  // namespace weir::ingress
