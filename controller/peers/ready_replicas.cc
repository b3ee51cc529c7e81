#include "controller/peers/ready_replicas.h"

namespace weir::peers {
namespace {

constexpr std::size_t kMost = 1'000;
constexpr const char* kPortName = "peers";

std::uint16_t port_of(const store::EndpointSlice& slice, std::uint16_t otherwise) {
  for (const store::SlicePort& port : slice.ports) {
    const bool fits = port.name == kPortName || slice.ports.size() == 1;
    if (fits && port.port > 0) return static_cast<std::uint16_t>(port.port);
  }
  return otherwise;
}

}  // namespace

std::map<std::string, base::SocketAddress> ready_replicas(const store::Store& store,
                                                          const Place& place) {
  std::map<std::string, base::SocketAddress> out;
  const auto own = base::SocketAddress::parse(place.own_address, place.port);
  const auto slices = store.find(store::Index::kSlicesByService, place.ns + "/" + place.service);
  for (const store::ObjectPtr& object : slices) {
    const auto& slice = static_cast<const store::EndpointSlice&>(*object);
    for (const store::SliceEndpoint& endpoint : slice.endpoints) {
      if (!endpoint.ready || endpoint.terminating) continue;
      const auto address = base::SocketAddress::parse(endpoint.address, port_of(slice, place.port));
      if (!address.ok() || out.size() >= kMost) continue;
      if (own.ok() && own.value().ip_bytes() == address.value().ip_bytes()) continue;
      out[address.value().to_string()] = address.value();
    }
  }
  return out;
}

}  // namespace weir::peers
