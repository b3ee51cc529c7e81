#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "common/base/fields.h"
#include "common/model/balancing.h"
#include "common/model/health.h"
#include "common/model/upstream_tls.h"

namespace weir::model {

using base::field;

enum class UpstreamProtocol : std::uint8_t { kHttp1, kHttp2 };
inline base::EnumNames enum_names(UpstreamProtocol) { return {"http1", "http2"}; }

// The set of endpoints of one Service port with its settings; shared by every route that names it.
// The endpoints themselves are a resource of their own with the same name, so that endpoint churn
// touches one small record.
struct Cluster {
  std::string name;  // "namespace/service/port" for Ingress; other translators add "#settings"
                     // where settings differ
  std::string ns;
  std::string service;
  std::string port;  // as the owner wrote it: number or name
  UpstreamProtocol protocol = UpstreamProtocol::kHttp1;
  bool protocol_chosen = false;  // by the route's owner: the Service's appProtocol does not count
  std::uint32_t max_streams = 100;  // at once on one HTTP/2 connection; its peer may allow fewer
  bool service_upstream = false;    // the one endpoint is the Service's own address
  Balancing balance;
  HealthCheck health;
  Ejection ejection;
  CircuitLimits limits;
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds idle_timeout{60'000};  // of a pooled connection
  std::uint32_t max_idle = 320;                    // pooled idle connections per worker
  UpstreamTls tls;
  bool udp = false;  // the Service's UDP port, not its TCP port
  bool operator==(const Cluster&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(
        field("name", &Cluster::name), field("namespace", &Cluster::ns),
        field("service", &Cluster::service), field("port", &Cluster::port),
        field("protocol", &Cluster::protocol), field("protocol_chosen", &Cluster::protocol_chosen),
        field("max_streams", &Cluster::max_streams),
        field("service_upstream", &Cluster::service_upstream), field("balance", &Cluster::balance),
        field("health", &Cluster::health), field("ejection", &Cluster::ejection),
        field("limits", &Cluster::limits), field("connect_timeout_ms", &Cluster::connect_timeout),
        field("idle_timeout_ms", &Cluster::idle_timeout), field("max_idle", &Cluster::max_idle),
        field("tls", &Cluster::tls), field("udp", &Cluster::udp));
  }
};

// One address to send to. id is stable over changes of the set: state that outlives a request
// (in-flight, pools) is keyed by it.
struct Endpoint {
  std::string id;       // "address:port"
  std::string address;  // IP literal
  std::uint16_t port = 0;
  std::uint32_t weight = 1;  // relative to the other endpoints; 0: none
  std::string zone;
  bool operator==(const Endpoint&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("id", &Endpoint::id), field("address", &Endpoint::address),
              field("port", &Endpoint::port), field("weight", &Endpoint::weight),
              field("zone", &Endpoint::zone));
  }
};

struct Endpoints {
  std::string cluster;
  std::vector<Endpoint> endpoints;  // sorted by id; empty: requests answer 503
  bool operator==(const Endpoints&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("cluster", &Endpoints::cluster), field("endpoints", &Endpoints::endpoints));
  }
};

}  // namespace weir::model
