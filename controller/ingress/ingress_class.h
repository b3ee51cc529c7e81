#pragma once

#include <memory>
#include <vector>

#include "controller/ingress/config.h"
#include "controller/translate/unit.h"
#include "controller/translate/view.h"

namespace weir::ingress {

using IngressPtr = std::shared_ptr<const store::Ingress>;

// Whether this Ingress is ours to serve, in this order: spec.ingressClassName names an IngressClass
// of our controller; the annotation kubernetes.io/ingress.class equals our class; without either,
// when we watch such or an IngressClass of ours is the default.
//   reports: one when our own class is named but does not exist: nobody else would say so.
bool is_ours(const Config& config, const store::Ingress& ingress, translate::View& view,
             std::vector<translate::Report>& reports);

// All of ours that the index has under this host, oldest first; equal age: ascending
// namespace/name.
std::vector<IngressPtr> our_ingresses(const Config& config, std::string_view host,
                                      translate::View& view,
                                      std::vector<translate::Report>& reports);

}  // namespace weir::ingress
