#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace weir::base {

// An IPv4 or IPv6 address with a port, as the kernel takes it. A value type of 28 bytes; any
// thread.
class SocketAddress {
 public:
  SocketAddress() = default;
  // Takes what accept() or getsockname() filled in; other families than AF_INET and AF_INET6 give
  // an empty address.
  explicit SocketAddress(const sockaddr* address);

  // address: an IP literal without brackets ("10.0.0.1", "fd00::1", "::").
  //   errors: kInvalid naming the value.
  static Result<SocketAddress> parse(std::string_view address, std::uint16_t port);

  const sockaddr* data() const { return &storage_.any; }
  socklen_t size() const;
  int family() const { return storage_.any.sa_family; }
  std::uint16_t port() const;
  bool is_loopback() const;       // 127.0.0.0/8, ::1 and their mapped forms
  bool is_link_local() const;     // 169.254.0.0/16 (metadata services live there), fe80::/10
  bool is_unspecified() const;    // 0.0.0.0, ::, which the kernel takes for this machine
  std::string ip() const;         // "10.0.0.1", "fd00::1"; a v4-mapped address in dotted form
  std::string to_string() const;  // "10.0.0.1:80", "[fd00::1]:80"
  // The raw address: 4 or 16 bytes in network order, viewed inside this object. A key for
  // per-client tables.
  std::string_view ip_bytes() const;
  bool operator==(const SocketAddress& other) const;

 private:
  union {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
  } storage_{};
};

// True for a literal IPv4 or IPv6 address without brackets, port or zone.
bool is_ip_literal(std::string_view text);

}  // namespace weir::base
