#pragma once

#include <memory>
#include <string>

#include "common/base/ip.h"
#include "dataplane/codec/head.h"
#include "dataplane/exchange/snapshot.h"

namespace weir::exchange {

// What a trusted source says of the client in its forwarding fields. What it does not say, or says
// twice or malformed, stays empty and our own knowledge holds.
struct TrustedForward {
  base::SocketAddress client;  // port 0
  std::string address;         // the same as text
  std::string forwarded_for;   // what X-Forwarded-For is to be, when it is appended to
  std::string host;
  std::string proto;  // "http" or "https"
  std::uint16_t port = 0;
};

// Null when the fields do not count: it is switched off, or the peer is no trusted source. The
// client is the last address of the field, from its end, that is no trusted source itself; what is
// no address ends the walk. Then also the field of --forwarded-for-header goes from the head, in
// every spelling: an upstream must not believe what we did not.
std::unique_ptr<TrustedForward> read_trusted_forward(const Snapshot& live,
                                                     const base::SocketAddress& peer,
                                                     codec::Head& head);

}  // namespace weir::exchange
