#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "common/base/ip.h"

namespace weir::stream {

// Which of this machine's addresses a datagram came to. A socket bound to all of them must answer
// from the same, or the client does not know the answer.
struct UdpLocal {
  int family = 0;  // 0: the kernel did not say
  in_addr v4{};
  in6_addr v6{};
  unsigned interface = 0;        // for link-local addresses of IPv6
  std::string_view key() const;  // its bytes, viewed inside this object
};

// Room for one such message of the kernel.
struct UdpControl {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(in6_pktinfo))> bytes;
};

// Has the kernel tell it with every datagram.
void ask_for_local(int socket);
UdpLocal local_of(const msghdr& received);
// Sends one datagram from that address. What the kernel does not take is lost.
void send_from(int socket, const UdpLocal& local, const base::SocketAddress& to,
               std::string_view bytes);

}  // namespace weir::stream
