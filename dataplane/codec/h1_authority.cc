#include "dataplane/codec/h1_authority.h"

#include <algorithm>

#include "common/base/ip.h"
#include "common/base/text.h"
#include "dataplane/codec/h1_scan.h"

namespace weir::codec {
namespace {

bool is_valid_port(std::string_view port) {
  if (port.empty() || port.size() > 5 || !std::all_of(port.begin(), port.end(), is_digit)) {
    return false;
  }
  unsigned value = 0;
  for (const char c : port) value = value * 10 + static_cast<unsigned>(c - '0');
  return value >= 1 && value <= 65'535;
}

std::string_view without_default_port(std::string_view authority, bool is_https) {
  const std::string_view port = is_https ? ":443" : ":80";
  if (authority.ends_with(port)) authority.remove_suffix(port.size());
  return authority;
}

}  // namespace

bool is_valid_authority(std::string_view authority) {
  std::size_t end = 0;
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) return false;
    const std::string_view literal = authority.substr(1, close - 1);
    if (literal.find(':') == std::string_view::npos || !base::is_ip_literal(literal)) return false;
    end = close + 1;
  } else {
    while (end < authority.size() && is_reg_name_char(authority[end])) ++end;
    if (end == 0) return false;
  }
  if (end == authority.size()) return true;
  return authority[end] == ':' && is_valid_port(authority.substr(end + 1));
}

bool same_authority(std::string_view a, std::string_view b, bool is_https) {
  return base::equals_ignore_case(without_default_port(a, is_https),
                                  without_default_port(b, is_https));
}

}  // namespace weir::codec
