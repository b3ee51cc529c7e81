#include "dataplane/shared/client_key.h"

#include "common/base/hash.h"

namespace weir::shared {

std::uint64_t client_key(const base::SocketAddress& address, std::uint64_t salt) {
  return base::hash_bytes(address.ip_bytes().substr(0, 8), base::process_seed() ^ salt);
}

std::uint64_t client_key(std::string_view ip, std::uint64_t salt) {
  const auto address = base::SocketAddress::parse(ip, 0);
  if (address.ok()) return client_key(address.value(), salt);
  return base::hash_bytes(ip, base::process_seed() ^ salt);
}

}  // namespace weir::shared
