#include "dataplane/exchange/forwarded.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "common/base/text.h"
#include "dataplane/codec/hop_by_hop.h"

namespace weir::exchange {
namespace {

using codec::FieldId;

constexpr std::string_view kOriginalHost = "X-Original-Forwarded-Host";
constexpr std::size_t kLongestName = 32;  // no name of ours is longer

bool is_replaced(FieldId id) {
  switch (id) {
    case FieldId::kForwarded:
    case FieldId::kProxy:
    case FieldId::kXForwardedFor:
    case FieldId::kXForwardedHost:
    case FieldId::kXForwardedPort:
    case FieldId::kXForwardedProto:
    case FieldId::kXForwardedScheme:
    case FieldId::kXRealIp:
    case FieldId::kXScheme:
      return true;
    default:
      return false;
  }
}

bool is_original(FieldId id, std::string_view name) {
  return id == FieldId::kXOriginalForwardedFor || base::equals_ignore_case(name, kOriginalHost);
}

// Servers that map names to variables read '_' as '-' (CGI and its heirs).
bool is_alias(const codec::FieldView& field) {
  const bool may_be = field.id == FieldId::kOther && field.name.size() <= kLongestName &&
                      field.name.find('_') != std::string_view::npos;
  if (!may_be) return false;
  std::array<char, kLongestName> plain{};
  std::replace_copy(field.name.begin(), field.name.end(), plain.begin(), '_', '-');
  const std::string_view name(plain.data(), field.name.size());
  const FieldId id = codec::field_id(name);
  return is_replaced(id) || is_original(id, name) || id == FieldId::kXRequestId ||
         id == FieldId::kAuthorization || codec::is_connection_level(id);
}

// h2c would let the client speak past every rule of ours (reliability: upgrade smuggling).
std::string_view wanted_upgrade(const codec::Head& head) {
  if (!codec::wants_upgrade(head) || head.count(FieldId::kUpgrade) != 1) return {};
  const std::string_view value = *head.find(FieldId::kUpgrade);
  for (std::size_t at = 0; at + 3 <= value.size(); ++at) {
    if (base::equals_ignore_case(value.substr(at, 3), "h2c")) return {};
  }
  return value;
}

void keep_originals(codec::Head& head) {
  head.remove_if(
      [](const codec::FieldView& f) { return is_original(f.id, f.name) || is_alias(f); });
  if (const auto sent = head.find(FieldId::kXForwardedFor)) {
    head.add("X-Original-Forwarded-For", *sent);
  }
  if (const auto sent = head.find(FieldId::kXForwardedHost)) head.add(kOriginalHost, *sent);
}

void name_request(codec::Head& head, RequestIds& ids) {
  const auto sent = head.find(FieldId::kXRequestId);
  if (sent && head.count(FieldId::kXRequestId) == 1 && is_request_id(*sent)) return;
  head.remove(FieldId::kXRequestId);
  const std::array<char, 32> made = ids.next();
  head.add("X-Request-ID", {made.data(), made.size()});
}

void add_ours(codec::Head& head, const ForwardedFacts& facts) {
  std::array<char, 6> port{};
  const char* end = std::to_chars(port.data(), port.data() + port.size(), facts.port).ptr;
  const std::string_view own_scheme = facts.tls ? "https" : "http";
  const std::string_view scheme = facts.proto.empty() ? own_scheme : facts.proto;
  head.add("X-Real-IP", facts.client);
  head.add("X-Forwarded-For", facts.forwarded_for.empty() ? facts.client : facts.forwarded_for);
  head.add("X-Forwarded-Host", facts.host.empty() ? head.authority() : facts.host);
  head.add("X-Forwarded-Port", {port.data(), static_cast<std::size_t>(end - port.data())});
  head.add("X-Forwarded-Proto", scheme);
  head.add("X-Forwarded-Scheme", scheme);
  head.add("X-Scheme", scheme);
}

}  // namespace

bool rewrite_request_head(codec::Head& head, const ForwardedFacts& facts, RequestIds& ids) {
  // A removed field stays in the head's block, and a head takes views into itself: this one lives
  // until something is added.
  const std::string_view upgrade = wanted_upgrade(head);
  codec::strip_hop_by_hop(head);
  if (!upgrade.empty()) head.add("Upgrade", upgrade);
  const bool upgrades = head.find(FieldId::kUpgrade).has_value();
  keep_originals(head);
  name_request(head, ids);
  head.remove_if([](const codec::FieldView& f) { return is_replaced(f.id); });
  add_ours(head, facts);
  return upgrades;
}

}  // namespace weir::exchange
