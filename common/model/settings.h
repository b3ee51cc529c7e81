#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "common/base/fields.h"
#include "common/model/tracing.h"

namespace weir::model {

using base::field;

// Whom we believe about who a client is. Sources are addresses or CIDRs.
struct ClientAddress {
  std::vector<std::string> proxy_protocol_sources;          // may send a PROXY header
  std::chrono::milliseconds proxy_protocol_timeout{5'000};  // accept to the end of that header
  std::vector<std::string> forwarded_sources;               // whose forwarding headers count
  bool use_forwarded_headers = false;  // believe X-Forwarded-For, -Proto, -Host and -Port of them
  bool append_forwarded_for = false;   // X-Forwarded-For: append to theirs, do not replace
  std::string forwarded_for_header = "X-Forwarded-For";  // where they say who the client is
  bool operator==(const ClientAddress&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("proxy_protocol_sources", &ClientAddress::proxy_protocol_sources),
              field("proxy_protocol_timeout_ms", &ClientAddress::proxy_protocol_timeout),
              field("forwarded_sources", &ClientAddress::forwarded_sources),
              field("use_forwarded_headers", &ClientAddress::use_forwarded_headers),
              field("append_forwarded_for", &ClientAddress::append_forwarded_for),
              field("forwarded_for_header", &ClientAddress::forwarded_for_header));
  }
};

// What holds for the whole dataplane. Defaults are ingress-nginx's where it has them.
struct Settings {
  std::string name = "default";
  std::chrono::milliseconds tls_handshake_timeout{12'000};  // accept to the end of the handshake
  std::chrono::milliseconds client_header_timeout{25'000};  // the whole head; over: 408
  std::chrono::milliseconds client_body_timeout{60'000};    // gap between body bytes; over: 408
  std::chrono::milliseconds rate_window{25'000};            // over which min_body_rate is judged
  std::uint32_t min_body_rate = 240;   // bytes/s of a request body in every window; under: 408
  std::uint32_t min_drain_rate = 240;  // bytes/s that a client takes of what waits for it, judged
                                       // over the route's send timeout; under: closed
  std::chrono::milliseconds keep_alive_timeout{75'000};  // idle client connection
  std::uint32_t keep_alive_requests = 0;                 // per client connection; 0: no limit
  std::uint32_t max_head_bytes = 65'536;                 // request line and headers; over: 431
  std::uint32_t max_fields = 100;                        // over: 431
  std::uint32_t max_target_bytes = 32'768;               // over: 414
  std::uint32_t max_connections = 0;  // client connections of the process; 0: from the fd limit
  std::uint32_t connections_per_address = 0;      // 0: no limit; over: closed at accept
  std::uint32_t new_connections_per_address = 0;  // a second, 5 times that at once; over: closed
  bool http2 = true;                  // to clients: by ALPN, and with prior knowledge in clear text
  std::uint32_t http2_streams = 128;  // of one connection at a time, 1 to 65535
  bool access_log = true;
  bool server_header = true;  // "Server: weir"
  ClientAddress client_address;
  Tracing tracing;
  // A blob beside the settings is the key of signed debug requests (dataplane/observe/trace.h).
  bool operator==(const Settings&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("name", &Settings::name),
              field("tls_handshake_timeout_ms", &Settings::tls_handshake_timeout),
              field("client_header_timeout_ms", &Settings::client_header_timeout),
              field("client_body_timeout_ms", &Settings::client_body_timeout),
              field("rate_window_ms", &Settings::rate_window),
              field("min_body_rate", &Settings::min_body_rate),
              field("min_drain_rate", &Settings::min_drain_rate),
              field("keep_alive_timeout_ms", &Settings::keep_alive_timeout),
              field("keep_alive_requests", &Settings::keep_alive_requests),
              field("max_head_bytes", &Settings::max_head_bytes),
              field("max_fields", &Settings::max_fields),
              field("max_target_bytes", &Settings::max_target_bytes),
              field("max_connections", &Settings::max_connections),
              field("connections_per_address", &Settings::connections_per_address),
              field("new_connections_per_address", &Settings::new_connections_per_address),
              field("http2", &Settings::http2), field("http2_streams", &Settings::http2_streams),
              field("access_log", &Settings::access_log),
              field("server_header", &Settings::server_header),
              field("client_address", &Settings::client_address),
              field("tracing", &Settings::tracing));
  }
};

}  // namespace weir::model
