#include "common/base/cidr.h"

#include <algorithm>

#include "common/base/text.h"

namespace weir::base {
namespace {

constexpr std::size_t kMappedBits = 96;

using Bytes = std::array<unsigned char, 16>;

Bytes bytes_of(const SocketAddress& address) {
  Bytes out{};
  const std::string_view raw = address.ip_bytes();
  if (raw.size() == 4) out[10] = out[11] = 0xff;
  std::copy(raw.begin(), raw.end(), out.end() - static_cast<std::ptrdiff_t>(raw.size()));
  return out;
}

}  // namespace

Result<Cidr> Cidr::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = SocketAddress::parse(text.substr(0, slash), 0);
  const auto bad = [text] {
    return invalid("'" + std::string(text) + "' is not an IP address or CIDR like 10.0.0.0/8");
  };
  if (!address.ok()) return bad();
  // "::ffff:10.0.0.0/104" is written in bits of IPv6.
  const bool v4 = address.value().family() == AF_INET;
  const std::uint64_t width = v4 ? 32 : 128;
  std::uint64_t bits = width;
  if (slash != std::string_view::npos) {
    const auto number = parse_uint(text.substr(slash + 1));
    if (!number || *number > width) return bad();
    bits = *number;
  }
  Cidr out;
  out.address_ = bytes_of(address.value());
  out.bits_ = static_cast<std::uint8_t>(bits + (v4 ? kMappedBits : 0));
  return out;
}

bool Cidr::contains(const SocketAddress& address) const {
  if (address.ip_bytes().empty()) return false;
  const Bytes other = bytes_of(address);
  const std::size_t whole = bits_ / 8;
  if (!std::equal(other.begin(), other.begin() + static_cast<std::ptrdiff_t>(whole),
                  address_.begin())) {
    return false;
  }
  const unsigned rest = bits_ % 8;
  return rest == 0 || (other[whole] ^ address_[whole]) >> (8 - rest) == 0;
}

Result<CidrSet> CidrSet::parse(const std::vector<std::string>& texts) {
  CidrSet out;
  for (const std::string& text : texts) {
    auto one = Cidr::parse(text);
    if (!one.ok()) return std::move(one).error();
    out.ranges_.push_back(one.value());
  }
  return out;
}

bool CidrSet::contains(const SocketAddress& address) const {
  return std::any_of(ranges_.begin(), ranges_.end(),
                     [&](const Cidr& one) { return one.contains(address); });
}

}  // namespace weir::base
