#pragma once

#include <cstdint>
#include <string_view>

#include "common/base/ip.h"

namespace weir::shared {

// A client's address as a key of the tables here: IPv4 whole, IPv6 by its /64, which is the least
// that a client of IPv6 owns; a v4-mapped address counts as its IPv4. salt: what is counted, so
// that tables serve several limits. Never the same in two processes.
std::uint64_t client_key(const base::SocketAddress& address, std::uint64_t salt);
// The same of an address as text. Text that is no address is a key of its own.
std::uint64_t client_key(std::string_view ip, std::uint64_t salt);

}  // namespace weir::shared
