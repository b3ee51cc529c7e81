#include "dataplane/transport/proxy_protocol.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "common/base/text.h"

namespace weir::transport {
namespace {

using Outcome = ProxyRead::Outcome;
using namespace std::string_view_literals;

constexpr std::string_view kStart1 = "PROXY ";
constexpr std::string_view kStart2 = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr std::size_t kLongest1 = 107;
constexpr std::size_t kFixed2 = 16;  // signature, command, family, length
constexpr unsigned kLocal = 0x20;
constexpr unsigned kRelayed = 0x21;
constexpr unsigned kTcp4 = 0x11;
constexpr unsigned kTcp6 = 0x21;

constexpr ProxyRead kBad{Outcome::kInvalid, 0};

unsigned byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

bool is_prefix(std::string_view whole, std::string_view bytes) {
  const std::size_t size = std::min(whole.size(), bytes.size());
  return whole.substr(0, size) == bytes.substr(0, size);
}

// Decimal without sign and leading zeros.
std::optional<std::uint16_t> port_of(std::string_view text) {
  const auto number = base::parse_uint(text);
  if (!number || *number > 65'535 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

bool read_address(std::string_view address, std::string_view port, int family,
                  base::SocketAddress& out) {
  const auto number = port_of(port);
  if (!number) return false;
  auto parsed = base::SocketAddress::parse(address, *number);
  if (!parsed.ok() || parsed.value().family() != family) return false;
  out = parsed.value();
  return true;
}

ProxyRead read_v1(std::string_view bytes, ProxyAddresses& out) {
  const std::string_view window = bytes.substr(0, kLongest1);
  const std::size_t end = window.find('\n');
  if (end == std::string_view::npos) {
    return window.size() == kLongest1 ? kBad : ProxyRead{Outcome::kIncomplete, bytes.size() + 1};
  }
  if (end == 0 || window[end - 1] != '\r') return kBad;
  const ProxyRead done{Outcome::kDone, end + 1};
  const std::string_view line = window.substr(kStart1.size(), end - 1 - kStart1.size());
  // What stands behind UNKNOWN is to be ignored.
  if (line == "UNKNOWN" || line.starts_with("UNKNOWN ")) return done;
  const auto words = base::split(line, ' ');
  if (words.size() != 5 || (words[0] != "TCP4" && words[0] != "TCP6")) return kBad;
  const int family = words[0] == "TCP4" ? AF_INET : AF_INET6;
  if (!read_address(words[1], words[3], family, out.source) ||
      !read_address(words[2], words[4], family, out.destination)) {
    return kBad;
  }
  out.relayed = true;
  return done;
}

base::SocketAddress address_of(std::string_view raw, std::uint16_t port) {
  sockaddr_storage storage{};
  if (raw.size() == 4) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, raw.data(), raw.size());
    std::memcpy(&storage, &v4, sizeof v4);
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&v6.sin6_addr, raw.data(), raw.size());
    std::memcpy(&storage, &v6, sizeof v6);
  }
  return base::SocketAddress(reinterpret_cast<const sockaddr*>(&storage));
}

ProxyRead read_v2(std::string_view bytes, ProxyAddresses& out) {
  if (bytes.size() < kFixed2) return {Outcome::kIncomplete, kFixed2};
  const unsigned command = byte_at(bytes, 12);
  const unsigned family = byte_at(bytes, 13);
  const std::size_t size = kFixed2 + (byte_at(bytes, 14) << 8 | byte_at(bytes, 15));
  if ((command != kLocal && command != kRelayed) || size > kLongestProxyHeader) return kBad;
  // A datagram or a Unix socket is nothing that came to us through a relay of TCP.
  const bool addressed = command == kRelayed && family != 0;
  if (addressed && family != kTcp4 && family != kTcp6) return kBad;
  const std::size_t width = family == kTcp4 ? 4 : 16;
  if (addressed && size < kFixed2 + 2 * width + 4) return kBad;
  if (bytes.size() < size) return {Outcome::kIncomplete, size};
  if (!addressed) return {Outcome::kDone, size};
  const std::string_view block = bytes.substr(kFixed2);
  const auto port = [&](std::size_t at) {
    return static_cast<std::uint16_t>(byte_at(block, at) << 8 | byte_at(block, at + 1));
  };
  out.source = address_of(block.substr(0, width), port(2 * width));
  out.destination = address_of(block.substr(width, width), port(2 * width + 2));
  out.relayed = true;
  return {Outcome::kDone, size};
}

// The two addresses in one family; empty when one of them is.
struct Pair {
  std::string source;
  std::string destination;
  bool v4 = false;
};

std::string as_v6(std::string_view raw) {
  return raw.size() == 4 ? std::string("\0\0\0\0\0\0\0\0\0\0\xff\xff"sv) + std::string(raw)
                         : std::string(raw);
}

Pair pair_of(const base::SocketAddress& source, const base::SocketAddress& destination) {
  const std::string_view from = source.ip_bytes();
  const std::string_view to = destination.ip_bytes();
  if (from.empty() || to.empty()) return {};
  if (from.size() == 4 && to.size() == 4) return {std::string(from), std::string(to), true};
  return {as_v6(from), as_v6(to), false};
}

// IPv6 as text even where SocketAddress would write a mapped address in dotted form.
std::string v6_text(std::string_view raw, const base::SocketAddress& address) {
  const bool is_mapped = raw.starts_with("\0\0\0\0\0\0\0\0\0\0\xff\xff"sv);
  return is_mapped ? "::ffff:" + address.ip() : address.ip();
}

void put_port(std::string& out, std::uint16_t port) {
  out += static_cast<char>(port >> 8);
  out += static_cast<char>(port & 0xff);
}

}  // namespace

bool begins_proxy_header(std::string_view bytes) {
  return is_prefix(kStart1, bytes) || is_prefix(kStart2, bytes);
}

ProxyRead read_proxy_header(std::string_view bytes, ProxyAddresses& out) {
  out = ProxyAddresses();
  if (!begins_proxy_header(bytes)) return kBad;
  if (bytes.empty()) return {Outcome::kIncomplete, 1};
  const bool text = is_prefix(kStart1, bytes);
  const std::size_t start = text ? kStart1.size() : kStart2.size();
  if (bytes.size() < start) return {Outcome::kIncomplete, start};
  return text ? read_v1(bytes, out) : read_v2(bytes, out);
}

std::string proxy_header_v1(const base::SocketAddress& source,
                            const base::SocketAddress& destination) {
  const Pair pair = pair_of(source, destination);
  if (pair.source.empty()) return "PROXY UNKNOWN\r\n";
  std::string out(pair.v4 ? "PROXY TCP4 " : "PROXY TCP6 ");
  out += pair.v4 ? source.ip() : v6_text(pair.source, source);
  out += " " + (pair.v4 ? destination.ip() : v6_text(pair.destination, destination));
  out += " " + std::to_string(source.port()) + " " + std::to_string(destination.port()) + "\r\n";
  return out;
}

std::string proxy_header_v2(const base::SocketAddress& source,
                            const base::SocketAddress& destination) {
  const Pair pair = pair_of(source, destination);
  std::string out(kStart2);
  if (pair.source.empty()) return out + std::string("\x20\0\0\0"sv);
  out += static_cast<char>(kRelayed);
  out += static_cast<char>(pair.v4 ? kTcp4 : kTcp6);
  put_port(out, static_cast<std::uint16_t>(2 * pair.source.size() + 4));
  out += pair.source + pair.destination;
  put_port(out, source.port());
  put_port(out, destination.port());
  return out;
}

}  // namespace weir::transport
