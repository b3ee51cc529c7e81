#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/ip.h"

namespace weir::transport {

// The PROXY protocol of HAProxy (proxy-protocol.txt), versions 1 (text) and 2 (binary): what stands
// before the first byte of a connection and says who the client is. Pure functions, any thread.

// Longer ones are refused: version 1 allows 107 bytes, version 2 comes with TLVs, which are
// skipped.
inline constexpr std::size_t kLongestProxyHeader = 4'096;

struct ProxyAddresses {
  // False: the sender speaks for itself (LOCAL, UNKNOWN, an unspecified family), as its health
  // checks do; then the connection's own addresses count.
  bool relayed = false;
  base::SocketAddress source;
  base::SocketAddress destination;
};

struct ProxyRead {
  enum class Outcome : std::uint8_t { kIncomplete, kDone, kInvalid };
  Outcome outcome = Outcome::kIncomplete;
  // kDone: bytes of the header. kIncomplete: the header has at least this many, more than were
  // given.
  std::size_t size = 0;
};

// Reads a header from the start of a connection. kInvalid: these bytes can never become one. out is
// complete when the outcome is kDone.
ProxyRead read_proxy_header(std::string_view bytes, ProxyAddresses& out);

// True when the bytes begin as a header of either version does, as far as they go.
bool begins_proxy_header(std::string_view bytes);

// A header for a byte stream. Addresses of two families are both written as IPv6; an empty one
// gives a header that says nothing (UNKNOWN, LOCAL).
std::string proxy_header_v1(const base::SocketAddress& source,
                            const base::SocketAddress& destination);
std::string proxy_header_v2(const base::SocketAddress& source,
                            const base::SocketAddress& destination);

}  // namespace weir::transport
