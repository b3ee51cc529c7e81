#include "common/routing/query.h"

#include "common/base/text.h"

namespace weir::routing {
namespace {

// Takes one decoded byte off the front of a text that is not empty.
char take_byte(std::string_view& encoded) {
  const char c = encoded.front();
  if (c == '%' && encoded.size() > 2) {
    const int high = base::hex_value(encoded[1]);
    const int low = base::hex_value(encoded[2]);
    if (high >= 0 && low >= 0) {
      encoded.remove_prefix(3);
      return static_cast<char>(high * 16 + low);
    }
  }
  encoded.remove_prefix(1);
  return c == '+' ? ' ' : c;
}

}  // namespace

std::optional<std::string_view> query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    const std::size_t equals = pair.find('=');
    if (decodes_to(pair.substr(0, equals), name)) {
      return equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    }
    if (end == std::string_view::npos) break;
    query.remove_prefix(end + 1);
  }
  return std::nullopt;
}

bool decodes_to(std::string_view encoded, std::string_view plain) {
  while (!encoded.empty()) {
    if (plain.empty() || take_byte(encoded) != plain.front()) return false;
    plain.remove_prefix(1);
  }
  return plain.empty();
}

std::string decode_query(std::string_view encoded) {
  std::string out;
  while (!encoded.empty()) out += take_byte(encoded);
  return out;
}

}  // namespace weir::routing
