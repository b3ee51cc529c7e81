#pragma once

#include <map>
#include <string>

#include "common/base/ip.h"
#include "controller/store/store.h"

namespace weir::peers {

// Which Service has the replicas behind it, and who of them we are.
struct Place {
  std::string ns;
  std::string service;
  std::string own_address;  // IP literal
  std::uint16_t port = 0;   // where a slice names none
};

// The other replicas that get traffic: ready and not terminating, by address. At most 1,000.
std::map<std::string, base::SocketAddress> ready_replicas(const store::Store& store,
                                                          const Place& place);

}  // namespace weir::peers
