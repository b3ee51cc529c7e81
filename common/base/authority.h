#pragma once

#include <string_view>

namespace weir::base {

// The host of "host:port", "[v6]:port", or of either without a port (RFC 3986 section 3.2).
// authority: a valid one; the view points into it.
inline std::string_view without_port(std::string_view authority) {
  return authority.ends_with(']') ? authority : authority.substr(0, authority.rfind(':'));
}

}  // namespace weir::base
