#include "common/base/ip.h"

#include <arpa/inet.h>

#include <array>
#include <cstring>

namespace weir::base {
namespace {

bool mapped(const in6_addr& address) { return IN6_IS_ADDR_V4MAPPED(&address); }

}  // namespace

SocketAddress::SocketAddress(const sockaddr* address) {
  if (address->sa_family == AF_INET) std::memcpy(&storage_.v4, address, sizeof storage_.v4);
  if (address->sa_family == AF_INET6) std::memcpy(&storage_.v6, address, sizeof storage_.v6);
}

Result<SocketAddress> SocketAddress::parse(std::string_view address, std::uint16_t port) {
  const std::string text(address);
  SocketAddress out;
  // The C interface below would stop at a NUL and take what stands before it.
  const bool whole = text.find('\0') == std::string::npos;
  if (whole && inet_pton(AF_INET, text.c_str(), &out.storage_.v4.sin_addr) == 1) {
    out.storage_.v4.sin_family = AF_INET;
    out.storage_.v4.sin_port = htons(port);
    return out;
  }
  in6_addr v6{};
  if (whole && inet_pton(AF_INET6, text.c_str(), &v6) == 1) {
    out.storage_.v6 = {};
    out.storage_.v6.sin6_family = AF_INET6;
    out.storage_.v6.sin6_addr = v6;
    out.storage_.v6.sin6_port = htons(port);
    return out;
  }
  return invalid("'" + text + "' is not an IPv4 or IPv6 address");
}

socklen_t SocketAddress::size() const {
  return family() == AF_INET6 ? sizeof storage_.v6 : sizeof storage_.v4;
}

std::uint16_t SocketAddress::port() const {
  return ntohs(family() == AF_INET6 ? storage_.v6.sin6_port : storage_.v4.sin_port);
}

bool SocketAddress::is_loopback() const {
  const std::string_view bytes = ip_bytes();
  if (bytes.size() == 4) return bytes[0] == 127;
  return family() == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&storage_.v6.sin6_addr);
}

bool SocketAddress::is_link_local() const {
  const std::string_view bytes = ip_bytes();
  if (bytes.size() == 4) {
    return static_cast<unsigned char>(bytes[0]) == 169 &&
           static_cast<unsigned char>(bytes[1]) == 254;
  }
  return family() == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&storage_.v6.sin6_addr);
}

bool SocketAddress::is_unspecified() const {
  const std::string_view bytes = ip_bytes();
  return !bytes.empty() && bytes.find_first_not_of('\0') == std::string_view::npos;
}

std::string SocketAddress::ip() const {
  std::array<char, INET6_ADDRSTRLEN> out{};
  const std::string_view bytes = ip_bytes();
  if (bytes.empty()) return "";
  inet_ntop(bytes.size() == 4 ? AF_INET : AF_INET6, bytes.data(), out.data(), out.size());
  return out.data();
}

std::string SocketAddress::to_string() const {
  const std::string port_text = std::to_string(port());
  return ip_bytes().size() == 16 ? "[" + ip() + "]:" + port_text : ip() + ":" + port_text;
}

std::string_view SocketAddress::ip_bytes() const {
  if (family() == AF_INET) {
    return {reinterpret_cast<const char*>(&storage_.v4.sin_addr), sizeof(in_addr)};
  }
  if (family() != AF_INET6) return {};
  const char* bytes = reinterpret_cast<const char*>(&storage_.v6.sin6_addr);
  return mapped(storage_.v6.sin6_addr) ? std::string_view(bytes + 12, 4)
                                       : std::string_view(bytes, 16);
}

bool SocketAddress::operator==(const SocketAddress& other) const {
  return ip_bytes() == other.ip_bytes() && port() == other.port();
}

bool is_ip_literal(std::string_view text) { return SocketAddress::parse(text, 0).ok(); }

}  // namespace weir::base
