#pragma once

#include <string_view>

namespace weir::codec {

// True for "host" or "host:port" as Host and :authority may have it (RFC 9110 section 7.2): a name
// of letters, digits and "-._~", an IPv4 address or an IPv6 literal in brackets; the port 1 to
// 65535. Stricter than RFC 3986 on purpose: no userinfo, no percent escapes, no sub-delimiters, no
// empty host, no empty port: no route can name such a host, and other readers split them
// differently. Every codec uses it. Any thread.
bool is_valid_authority(std::string_view authority);

// True when both name the same host and port under the scheme: case of the host and a written-out
// default port do not count. Both must be valid.
bool same_authority(std::string_view a, std::string_view b, bool is_https);

}  // namespace weir::codec
