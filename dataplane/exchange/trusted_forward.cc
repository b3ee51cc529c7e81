#include "dataplane/exchange/trusted_forward.h"

#include <algorithm>
#include <optional>

#include "common/base/text.h"

namespace weir::exchange {
namespace {

using codec::FieldId;

constexpr int kMostHops = 64;

bool same_name(std::string_view a, std::string_view b) {
  const auto plain = [](char c) { return c == '_' ? '-' : c; };
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [&](char x, char y) {
           const char pair[2] = {plain(x), plain(y)};
           return base::equals_ignore_case({pair, 1}, {pair + 1, 1});
         });
}

// All lines of a field as one list (RFC 9110 section 5.3).
std::string joined(const codec::Head& head, std::string_view name) {
  std::string out;
  head.each([&](const codec::FieldView& f) {
    if (!base::equals_ignore_case(f.name, name)) return;
    if (!out.empty()) out += ", ";
    out += f.value;
  });
  return out;
}

// "192.0.2.1", "192.0.2.1:4711", "2001:db8::1", "[2001:db8::1]:4711".
std::optional<base::SocketAddress> address_of(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    text = text.substr(1, end - 1);
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    text = text.substr(0, text.find(':'));
  }
  auto parsed = base::SocketAddress::parse(text, 0);
  if (!parsed.ok()) return std::nullopt;
  return parsed.value();
}

base::SocketAddress walk(const base::CidrSet& trusted, const base::SocketAddress& peer,
                         std::string_view list) {
  base::SocketAddress client = peer;
  for (int hop = 0; hop < kMostHops && trusted.contains(client) && !list.empty(); ++hop) {
    const std::size_t comma = list.rfind(',');
    const std::size_t from = comma == std::string_view::npos ? 0 : comma + 1;
    const auto next = address_of(base::trim(list.substr(from)));
    if (!next) break;
    client = *next;
    list = list.substr(0, comma == std::string_view::npos ? 0 : comma);
  }
  return client;
}

std::string only(const codec::Head& head, FieldId id) {
  const auto value = head.find(id);
  return value && head.count(id) == 1 ? std::string(*value) : std::string();
}

}  // namespace

std::unique_ptr<TrustedForward> read_trusted_forward(const Snapshot& live,
                                                     const base::SocketAddress& peer,
                                                     codec::Head& head) {
  const model::ClientAddress& rules = live.settings.client_address;
  if (!rules.use_forwarded_headers) return nullptr;
  if (!live.forwarded_sources.contains(peer)) {
    const std::string& name = rules.forwarded_for_header;
    head.remove_if([&name](const codec::FieldView& f) {
      return f.id != FieldId::kXForwardedFor && same_name(f.name, name);
    });
    return nullptr;
  }
  auto out = std::make_unique<TrustedForward>();
  out->client = walk(live.forwarded_sources, peer, joined(head, rules.forwarded_for_header));
  out->address = out->client.ip();
  if (rules.append_forwarded_for) {
    out->forwarded_for = joined(head, "X-Forwarded-For");
    if (!out->forwarded_for.empty()) out->forwarded_for += ", ";
    out->forwarded_for += peer.ip();
  }
  const std::string proto = base::to_lower(only(head, FieldId::kXForwardedProto));
  if (proto == "http" || proto == "https") out->proto = proto;
  const auto port = base::parse_uint(only(head, FieldId::kXForwardedPort));
  if (port && *port >= 1 && *port <= 65'535) out->port = static_cast<std::uint16_t>(*port);
  out->host = only(head, FieldId::kXForwardedHost);
  if (routing::normal_host(out->host).empty()) out->host.clear();
  return out;
}

}  // namespace weir::exchange
