#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/ip.h"
#include "common/base/result.h"

namespace weir::base {

// A range of addresses. IPv4 counts as its mapped form in IPv6, so that one kind is compared.
class Cidr {
 public:
  // "10.0.0.0/8", "fd00::/8", or an address alone. Bits behind the prefix are ignored.
  //   errors: kInvalid naming the value and the accepted form.
  static Result<Cidr> parse(std::string_view text);
  bool contains(const SocketAddress& address) const;  // the port is ignored

 private:
  std::array<unsigned char, 16> address_{};
  std::uint8_t bits_ = 0;  // of the 128
};

// Addresses that belong together: trusted sources. Few ranges: looked at one by one. Immutable once
// filled; any thread.
class CidrSet {
 public:
  //   errors: of the first bad one.
  static Result<CidrSet> parse(const std::vector<std::string>& texts);
  bool contains(const SocketAddress& address) const;
  bool empty() const { return ranges_.empty(); }

 private:
  std::vector<Cidr> ranges_;
};

}  // namespace weir::base
