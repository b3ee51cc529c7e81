#pragma once

#include <cstdint>
#include <memory>

#include "common/base/clock.h"
#include "dataplane/codec/codec.h"

namespace weir::codec {

// The first bytes of an HTTP/2 connection (RFC 9113 section 3.4).
inline constexpr std::string_view kH2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

struct H2ServerOptions {
  std::uint32_t max_streams = 128;                           // open at once; over: REFUSED_STREAM
  base::Duration head_deadline = std::chrono::seconds(60);   // of a whole field section
  base::Duration stall_deadline = std::chrono::seconds(60);  // response bytes that find no window
};

// The server side of an HTTP/2 connection (RFC 9113), with prior knowledge or by ALPN. context.loop
// must be there; wire, target: borrowed for the session's life.
//
// Several exchanges at once, each on a stream of its own. A malformed request has its stream reset
// and reaches nobody; one that is well-formed but refused (400, 414, 431, 501) goes to
// on_bad_request. A response that ends before its request resets the rest with NO_ERROR. An
// extended CONNECT for a WebSocket (RFC 8441) looks like "GET, Upgrade: websocket" of HTTP/1.1 to
// its target, whose 101 becomes a 200; any other 2xx becomes 502. Plain CONNECT: 501.
//
// A client that makes more work than it gets answers for (resets by either side, empty, control and
// CONTINUATION frames, oversized field sections) is sent GOAWAY with ENHANCE_YOUR_CALM, its
// exchanges are reset, and the session ends: h2_abuse.h has the budget.
//
// start_drain(): GOAWAY that names no last stream, and after a PING's round trip (at most a second)
// the final one.
std::unique_ptr<ServerSession> make_h2_server(SessionContext context, ByteStream& wire,
                                              ServerTarget& target, const H2ServerOptions& options);

}  // namespace weir::codec
