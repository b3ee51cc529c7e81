#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/fields.h"
#include "common/model/stream.h"

namespace weir::model {

using base::field;

// One address and port to listen on. address: an IP literal, "0.0.0.0" or "::"; several binds make
// dual stack.
struct Bind {
  std::string address;
  std::uint16_t port = 0;  // 1..65535
  bool udp = false;        // datagrams; what only listeners of protocol udp have
  bool operator==(const Bind&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("address", &Bind::address), field("port", &Bind::port),
              field("udp", &Bind::udp));
  }
};

enum class ListenerProtocol : std::uint8_t { kHttp, kHttps, kTls, kTcp, kUdp };
inline base::EnumNames enum_names(ListenerProtocol) {
  return {"http", "https", "tls", "tcp", "udp"};
}

// Where clients connect. The name is stable: a listener whose binds stay keeps its sockets and
// connections through any change.
struct Listener {
  std::string name;
  std::vector<Bind> binds;
  std::uint16_t public_port =
      0;  // the port clients use (behind a Service): redirects and X-Forwarded-Port; 0: the bind's
  ListenerProtocol protocol = ListenerProtocol::kHttp;
  std::string
      hostname;  // only this host (or "*.suffix") is served here, others get 404; empty: all
  std::string route_table;  // names the table of hosts and routes
  std::vector<std::string>
      default_certificates;  // served without SNI or without a match; one per key type
  StreamRule stream;  // of tcp and udp; a listener of protocol tls asks the hosts of its table
  bool proxy_protocol = false;  // clients of a trusted source begin with a PROXY header
  bool operator==(const Listener&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("name", &Listener::name), field("binds", &Listener::binds),
              field("public_port", &Listener::public_port), field("protocol", &Listener::protocol),
              field("hostname", &Listener::hostname), field("route_table", &Listener::route_table),
              field("default_certificates", &Listener::default_certificates),
              field("stream", &Listener::stream),
              field("proxy_protocol", &Listener::proxy_protocol));
  }
};

}  // namespace weir::model
