#include "controller/admin/peers_options.h"

#include "common/base/ip.h"
#include "common/base/text.h"
#include "controller/admin/flag_checks.h"
#include "controller/ingress/config.h"

namespace weir::admin {

void add_peers_flags(base::Flags& flags, PeersOptions& o) {
  flags
      .add("peers-service", o.service,
           "NAMESPACE/NAME of the headless Service by which replicas find each other, and of the "
           "Secret in which the leader keeps the authorities of their certificates; empty: status "
           "waits for no other replica")
      .add("peers-address", o.address,
           "this replica's own IP address behind that Service, where it answers the others")
      .add("peers-port", o.port, "port at which it does")
      .add("peers-patience", o.patience,
           "how long status waits for a ready replica that does not acknowledge a change, 1s to "
           "60s; then an Event names it");
}

base::Result<peers::Settings> peers_settings(const PeersOptions& o) {
  peers::Settings out;
  if (auto good = check_pair("peers-service", o.service); !good.ok())
    return std::move(good).error();
  const ingress::NamePair service = ingress::split_name(o.service);
  out.place = {service.ns, service.name, o.address, o.port};
  if (out.on() && !base::is_ip_literal(o.address))
    return bad_flag("peers-address", o.address, "an IP literal, with --peers-service");
  if (out.on() && o.port == 0) return bad_flag("peers-port", "0", "a port from 1 to 65535");
  const auto patience = base::parse_duration(o.patience);
  if (!patience.ok() || patience.value() < std::chrono::seconds(1) ||
      patience.value() > std::chrono::seconds(60)) {
    return bad_flag("peers-patience", o.patience, "1s to 60s");
  }
  out.patience = patience.value();
  return out;
}

}  // namespace weir::admin
