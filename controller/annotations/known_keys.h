#pragma once

#include <string_view>

namespace weir::annotations {

// The 136 annotations of ingress-nginx 1.15 and its two aliases, to tell "not supported yet" from
// "unknown". restricts: it limits who gets in, so leaving it out would open what the owner closed.
struct KnownKey {
  std::string_view key;  // without prefix
  bool restricts = false;
};
const KnownKey* known_key(std::string_view key);  // null when ingress-nginx has no such key
std::size_t known_key_count();

// Names that ingress-nginx dropped or never had but that many objects still carry; the hint says
// what replaces them. Empty when the name is not among them.
std::string_view removed_key_hint(std::string_view key);

}  // namespace weir::annotations
