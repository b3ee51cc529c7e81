#pragma once

#include <cstdint>
#include <string_view>

#include "dataplane/codec/head.h"
#include "dataplane/worker/buffer.h"

namespace weir::codec {

// Writes heads as HTTP/1.1 bytes, each into one chunk of its own: start line, the head's fields in
// their order and spelling but for those that belong to the connection (is_connection_level), then
// what the session says here. Head and body are framed anew by us, never copied.
struct ConnectionFields {
  enum class Body : std::uint8_t { kUnsaid, kLength, kChunked };
  Body body = Body::kUnsaid;
  std::uint64_t length = 0;  // of kLength
  bool close = false;        // "Connection: close"
  bool keep_alive = false;   // "Connection: keep-alive", for HTTP/1.0 clients
  bool trailers = false;     // "TE: trailers", requests only
  std::string_view upgrade;  // not empty: "Upgrade" with "Connection: Upgrade"
};

// Host is the head's authority(), written first; there is no other.
worker::Slice serialize_request(worker::BufferPool& pool, const Head& head,
                                const ConnectionFields& connection);
// A missing reason is written as the status's usual one.
worker::Slice serialize_response(worker::BufferPool& pool, const Head& head,
                                 const ConnectionFields& connection);
// The last chunk and the trailer section, with the empty line.
worker::Slice serialize_trailers(worker::BufferPool& pool, const Head& trailers);

// The phrase of RFC 9110 section 15 for a status, empty when there is none.
std::string_view usual_reason(int status);

}  // namespace weir::codec
