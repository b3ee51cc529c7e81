#pragma once

#include <memory>

#include "dataplane/codec/codec.h"

namespace weir::codec {

// HTTP/1.1 sessions (RFC 9110, RFC 9112), strict: what is ambiguous is refused, never repaired. One
// request at a time; pipelined bytes wait. wire, target: borrowed for the session's life.
std::unique_ptr<ServerSession> make_h1_server(SessionContext context, ByteStream& wire,
                                              ServerTarget& target);
std::unique_ptr<ClientSession> make_h1_client(SessionContext context, ByteStream& wire,
                                              ClientTarget& target);

}  // namespace weir::codec
