#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

#include "common/base/ip.h"

namespace weir::shared {

// How many client connections the process and each client address have open. Bounded and sharded: a
// fixed table of counters hashed by address (IPv6 by /64), so that any number of addresses uses the
// same memory; two addresses that share a counter share its cap. Any thread.
class ConnectionCaps {
 public:
  ConnectionCaps();
  ~ConnectionCaps();

  enum class Entry : std::uint8_t { kCounted, kFull, kAddressFull };
  // Counts one connection, unless a cap is reached: then nothing is counted. Caps of 0 mean none.
  Entry enter(const base::SocketAddress& peer, std::uint32_t max_total,
              std::uint32_t max_per_address);
  void leave(const base::SocketAddress& peer);
  std::uint32_t total() const { return total_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t kCounters = 65'536;
  static std::size_t slot(const base::SocketAddress& peer);
  std::atomic<std::uint32_t> total_{0};
  std::unique_ptr<std::atomic<std::uint32_t>[]> counters_;
};

}  // namespace weir::shared
