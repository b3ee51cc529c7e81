#pragma once

#include <string_view>

#include "dataplane/codec/head.h"

namespace weir::codec {

// What ends at this connection and is never forwarded (RFC 9110 section 7.6.1). For every codec.

// True for an HTTP/1.1 request with an Upgrade field that its Connection field names. Ask before
// strip_hop_by_hop: it removes both. To forward the upgrade, set Upgrade again afterwards; the
// session that writes the head adds the Connection option.
bool wants_upgrade(const Head& head);

// Removes Connection and every field that it names, Keep-Alive, Proxy-Connection, Upgrade,
// HTTP2-Settings, Transfer-Encoding, and TE unless it says exactly "trailers". Host and
// Content-Length stay whatever Connection names: the sessions write both from what they know.
//
// A client chooses what Connection names, so call this before adding anything of our own
// (X-Forwarded-*, X-Real-IP, X-Request-ID …): strip first, then add.
void strip_hop_by_hop(Head& head);

// True for fields that a session writes itself and ignores in a head it is given: Connection,
// Content-Length, Host, HTTP2-Settings, Keep-Alive, Proxy-Connection, TE, Transfer-Encoding,
// Upgrade.
bool is_connection_level(FieldId id);

// True for a field that has no effect or a dangerous one behind a body (RFC 9110 section 6.5.1):
// framing, routing, authentication, request modifiers, response control, what describes the
// content, and what proxies vouch for; also any name with '_', which some servers read as '-'.
bool is_forbidden_trailer(const FieldView& field);

}  // namespace weir::codec
