#pragma once

#include <cstdint>
#include <string_view>

#include "dataplane/codec/head.h"
#include "dataplane/exchange/request_id.h"

namespace weir::exchange {

// What we vouch for towards the upstream.
struct ForwardedFacts {
  std::string_view client;  // address without port
  std::uint16_t port = 0;   // public port of the listener
  bool tls = false;
  // Of a trusted source; empty: ours.
  std::string_view forwarded_for = {};
  std::string_view host = {};
  std::string_view proto = {};
};

// Turns the head a client sent into the head an upstream gets. First everything goes that ends at
// this connection (RFC 9110 section 7.6.1) and every spelling, also with '_', of the names below;
// then we add ours, so that no client can strip or forge them:
//   X-Forwarded-For (replaced by the client's address), X-Forwarded-Host, -Port, -Proto, -Scheme,
//   X-Scheme, X-Real-IP, X-Request-ID (the client's when it is legal, else made),
//   X-Original-Forwarded-For and -Host (what the client had sent); Proxy and Forwarded are removed.
// A wanted Upgrade is kept, but never h2c. Returns true when the head asks for an upgrade.
bool rewrite_request_head(codec::Head& head, const ForwardedFacts& facts, RequestIds& ids);

}  // namespace weir::exchange
