#include "dataplane/stream/udp_address.h"

#include <cstring>

namespace weir::stream {
namespace {

template <typename Info>
void attach(msghdr& header, int level, int type, const Info& info) {
  cmsghdr* part = CMSG_FIRSTHDR(&header);
  part->cmsg_level = level;
  part->cmsg_type = type;
  part->cmsg_len = CMSG_LEN(sizeof info);
  std::memcpy(CMSG_DATA(part), &info, sizeof info);
  header.msg_controllen = CMSG_SPACE(sizeof info);
}

}  // namespace

std::string_view UdpLocal::key() const {
  if (family == AF_INET) return {reinterpret_cast<const char*>(&v4), sizeof v4};
  if (family == AF_INET6) return {reinterpret_cast<const char*>(&v6), sizeof v6};
  return {};
}

void ask_for_local(int socket) {
  const int on = 1;
  // One of the two fits the socket's family.
  setsockopt(socket, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
  setsockopt(socket, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
}

UdpLocal local_of(const msghdr& received) {
  UdpLocal out;
  auto& header = const_cast<msghdr&>(received);  // the macros take no const
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) {
      in_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(part), sizeof info);
      out.family = AF_INET;
      out.v4 = info.ipi_spec_dst.s_addr != 0 ? info.ipi_spec_dst : info.ipi_addr;
    }
    if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(part), sizeof info);
      out.family = AF_INET6;
      out.v6 = info.ipi6_addr;
      if (IN6_IS_ADDR_LINKLOCAL(&out.v6)) out.interface = info.ipi6_ifindex;
    }
  }
  return out;
}

void send_from(int socket, const UdpLocal& local, const base::SocketAddress& to,
               std::string_view bytes) {
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr header{};
  header.msg_name = const_cast<sockaddr*>(to.data());
  header.msg_namelen = to.size();
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  UdpControl control{};
  header.msg_control = control.bytes.data();
  header.msg_controllen = control.bytes.size();
  if (local.family == AF_INET) {
    in_pktinfo info{};
    info.ipi_spec_dst = local.v4;
    attach(header, IPPROTO_IP, IP_PKTINFO, info);
  } else if (local.family == AF_INET6) {
    in6_pktinfo info{};
    info.ipi6_addr = local.v6;
    info.ipi6_ifindex = local.interface;
    attach(header, IPPROTO_IPV6, IPV6_PKTINFO, info);
  } else {
    header.msg_control = nullptr;
    header.msg_controllen = 0;
  }
  [[maybe_unused]] const ssize_t sent = sendmsg(socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace weir::stream
