#pragma once

#include <string_view>

#include "dataplane/exchange/snapshot.h"
#include "dataplane/transport/transport.h"

namespace weir::exchange {

// True when a client that reuses its TLS connection for another host must not (RFC 9110 section
// 15.5.20, RFC 9113 section 9.1.1): the authority is not the host that the SNI named, it has
// certificates of its own, and none of those that the SNI's host is served with covers it. A
// connection without SNI, and hosts that share a certificate, are never misdirected. Any thread
// that owns the snapshot.
bool misdirected(const Snapshot& snapshot, std::string_view route_table,
                 const transport::TlsFacts& tls, std::string_view authority);

}  // namespace weir::exchange
