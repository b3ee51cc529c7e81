#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "common/base/fields.h"

namespace weir::model {

using base::field;

// What holds for the whole dataplane. Defaults are ingress-nginx's where it has them.
struct Settings {
  std::string name = "default";
  std::chrono::milliseconds client_header_timeout{60'000};  // first byte to end of head
  std::chrono::milliseconds client_body_timeout{60'000};    // gap between body bytes
  std::chrono::milliseconds keep_alive_timeout{75'000};     // idle client connection
  std::uint32_t keep_alive_requests = 0;                    // per client connection; 0: no limit
  std::uint32_t max_head_bytes = 65'536;                    // request line and headers; over: 431
  std::uint32_t max_fields = 100;                           // over: 431
  std::uint32_t max_target_bytes = 32'768;                  // over: 414
  std::uint32_t max_connections = 0;  // client connections of the process; 0: from the fd limit
  std::uint32_t connections_per_address = 0;  // 0: no limit; over: closed at accept
  bool access_log = true;
  bool server_header = true;  // "Server: weir"
  bool operator==(const Settings&) const = default;
  static constexpr auto fields() {
    return std::tuple{field("name", &Settings::name),
                      field("client_header_timeout_ms", &Settings::client_header_timeout),
                      field("client_body_timeout_ms", &Settings::client_body_timeout),
                      field("keep_alive_timeout_ms", &Settings::keep_alive_timeout),
                      field("keep_alive_requests", &Settings::keep_alive_requests),
                      field("max_head_bytes", &Settings::max_head_bytes),
                      field("max_fields", &Settings::max_fields),
                      field("max_target_bytes", &Settings::max_target_bytes),
                      field("max_connections", &Settings::max_connections),
                      field("connections_per_address", &Settings::connections_per_address),
                      field("access_log", &Settings::access_log),
                      field("server_header", &Settings::server_header)};
  }
};

}  // namespace weir::model
