#pragma once

#include <string>

#include "controller/ingress/config.h"
#include "controller/translate/unit.h"
#include "controller/translate/view.h"

namespace weir::ingress {

// One function per type of unit, each in its own file. Pure: the same view gives the same result.
translate::UnitResult build_global(const Config& config, translate::View& view);
translate::UnitResult build_host(const Config& config, const std::string& host,
                                 translate::View& view);
// The listeners of the two ConfigMaps of streams, for the global unit. An entry that is bad is told
// to the ConfigMap and harms no other.
void add_stream_services(const Config& config, translate::View& view,
                         translate::UnitResult& result);
// name: as cluster_name.h makes it; the port as an Ingress wrote it.
translate::UnitResult build_cluster(const Config& config, const std::string& name,
                                    translate::View& view);
// name: "namespace/secret".
translate::UnitResult build_certificate(const std::string& name, translate::View& view);
translate::UnitResult build_trust(const std::string& name, translate::View& view);

}  // namespace weir::ingress
