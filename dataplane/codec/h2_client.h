#pragma once

#include <cstdint>
#include <memory>

#include "dataplane/codec/codec.h"

namespace weir::codec {

struct H2ClientOptions {
  bool tls = false;                 // decides ":scheme"
  std::uint32_t max_streams = 100;  // at once, whatever the peer allows
  std::uint32_t first_streams = 1;  // before the peer has said how many it allows
};

// An HTTP/2 session (RFC 9113) towards an upstream. wire, target: borrowed for the session's life;
// context.loop must be there. It speaks from the first byte on (prior knowledge, or ALPN "h2").
//
// Errors that on_reset brings: retryable while nothing of the request was sent, and when the
// upstream has said that it did not process it (REFUSED_STREAM, or GOAWAY with a lower last
// stream); kClosed when the connection ended before the response's head; else kProtocol. A request
// with an Upgrade field is sent without it: 101 does not exist here.
std::unique_ptr<ClientSession> make_h2_client(SessionContext context, ByteStream& wire,
                                              ClientTarget& target, const H2ClientOptions& options);

}  // namespace weir::codec
