#include "dataplane/shared/connection_caps.h"

#include "common/base/check.h"
#include "common/base/hash.h"

namespace weir::shared {

ConnectionCaps::ConnectionCaps() : counters_(new std::atomic<std::uint32_t>[kCounters]()) {}

ConnectionCaps::~ConnectionCaps() = default;

std::size_t ConnectionCaps::slot(const base::SocketAddress& peer) {
  // A client of IPv6 owns at least a /64.
  return base::hash_bytes(peer.ip_bytes().substr(0, 8)) % kCounters;
}

ConnectionCaps::Entry ConnectionCaps::enter(const base::SocketAddress& peer,
                                            std::uint32_t max_total,
                                            std::uint32_t max_per_address) {
  // Counted first and taken back when over: two threads at the edge may both be refused, never both
  // let in.
  const std::uint32_t total = total_.fetch_add(1, std::memory_order_relaxed);
  if (max_total != 0 && total >= max_total) {
    total_.fetch_sub(1, std::memory_order_relaxed);
    return Entry::kFull;
  }
  std::atomic<std::uint32_t>& counter = counters_[slot(peer)];
  const std::uint32_t same = counter.fetch_add(1, std::memory_order_relaxed);
  if (max_per_address != 0 && same >= max_per_address) {
    counter.fetch_sub(1, std::memory_order_relaxed);
    total_.fetch_sub(1, std::memory_order_relaxed);
    return Entry::kAddressFull;
  }
  return Entry::kCounted;
}

void ConnectionCaps::leave(const base::SocketAddress& peer) {
  WEIR_CHECK(counters_[slot(peer)].fetch_sub(1, std::memory_order_relaxed) > 0);
  total_.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace weir::shared
