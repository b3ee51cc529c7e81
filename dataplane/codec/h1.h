#pragma once

#include <memory>

#include "dataplane/codec/codec.h"

namespace weir::codec {

// HTTP/1.1 sessions (RFC 9110, RFC 9112), strict: what is ambiguous is refused, never repaired. One
// request at a time; pipelined bytes wait. wire, target: borrowed for the session's life.
//
// Server. Host becomes authority(). A response head that is sent before the whole request has come
// says "Connection: close". send_head(101) delivers the bytes that have waited for it, as on_data,
// before it returns. A client's FIN behind a complete request is no reset: it gets its response.
//
// Client. Host is written from authority(). An Upgrade field left in the request head asks for the
// upgrade, "TE: trailers" is kept, other connection-level fields are ignored. Errors that on_reset
// brings: kClosed when the connection ended before any byte of the response (a reused connection
// may be retried), kProtocol when it ended later or the response is malformed; retryable only while
// nothing of the request was written. Whoever gives up with reset() before writing keeps the
// connection usable.
std::unique_ptr<ServerSession> make_h1_server(SessionContext context, ByteStream& wire,
                                              ServerTarget& target);
std::unique_ptr<ClientSession> make_h1_client(SessionContext context, ByteStream& wire,
                                              ClientTarget& target);

}  // namespace weir::codec
