#pragma once

#include <cstdint>
#include <string>

#include "common/base/flags.h"
#include "common/base/result.h"
#include "controller/peers/peers.h"

namespace weir::admin {

// Flags of the channel between replicas.
struct PeersOptions {
  std::string service;  // "namespace/name"; empty: off
  std::string address;
  std::uint16_t port = 10'266;
  std::string patience = "30s";
};

void add_peers_flags(base::Flags& flags, PeersOptions& options);

//   errors: kInvalid naming the flag, its value and the accepted form.
base::Result<peers::Settings> peers_settings(const PeersOptions& options);

}  // namespace weir::admin
