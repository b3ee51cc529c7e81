#include "common/routing/host_name.h"

#include <string>

#include "common/base/ip.h"
#include "common/routing/route_table.h"

namespace weir::routing {
namespace {

// The byte in lower case, 0 when it cannot stand in a name. '_' is no host name by RFC 1123 but in
// use.
char name_byte(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
  const bool plain =
      (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  return plain ? c : '\0';
}

// RFC 3986 allows ":" without digits.
bool is_port(std::string_view text) {
  unsigned value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + static_cast<unsigned>(c - '0');
    if (value > 65'535) return false;
  }
  return true;
}

// The end of the host inside "host:port", npos when what follows it is no port.
std::size_t end_of_name(std::string_view host) {
  const bool literal = host.front() == '[';
  std::size_t end = host.find(literal ? ']' : ':');
  if (literal) {
    if (end == std::string_view::npos) return end;
    ++end;
  } else if (end == std::string_view::npos) {
    return host.size();
  }
  if (end == host.size()) return end;
  return host[end] == ':' && is_port(host.substr(end + 1)) ? end : std::string_view::npos;
}

}  // namespace

HostName::HostName(std::string_view host) {
  if (host.empty()) return;
  const std::size_t end = end_of_name(host);
  if (end == std::string_view::npos || end == 0) return;
  host = host.substr(0, end);
  if (host.back() == '.') host.remove_suffix(1);
  if (host.empty() || host.size() > kMostBytes || !copy(host)) return;
  size_ = host.size();
}

bool HostName::copy(std::string_view name) {
  if (name.front() == '[') {
    if (name.back() != ']' || !base::is_ip_literal(name.substr(1, name.size() - 2))) return false;
    for (std::size_t i = 0; i < name.size(); ++i) {
      const char c = name[i];
      buffer_[i] = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return true;
  }
  char before = '.';
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name_byte(name[i]);
    if (c == '\0' || (c == '.' && before == '.')) return false;
    buffer_[i] = before = c;
  }
  return before != '.';
}

std::string normal_host(std::string_view host) { return std::string(HostName(host).text()); }

}  // namespace weir::routing
