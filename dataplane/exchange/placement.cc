#include "dataplane/exchange/placement.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "common/base/authority.h"
#include "common/base/hash.h"
#include "common/base/text.h"
#include "common/crypto/digest.h"
#include "dataplane/exchange/service.h"

namespace weir::exchange {
namespace {

using Part = model::KeyTemplate::Part;

constexpr std::uint64_t kMostSeconds = 3'153'600'000;  // a century: what lies later has no date

void add_decoded(std::string_view text, std::string& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? base::hex_value(text[i + 1]) : -1;
    const int low = high >= 0 ? base::hex_value(text[i + 2]) : -1;
    if (low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i];
    }
  }
}

std::string_view query_value(std::string_view query, std::string_view name) {
  for (const std::string_view pair : base::split(query, '&')) {
    const std::size_t equal = pair.find('=');
    if (base::equals_ignore_case(pair.substr(0, equal), name)) {
      return equal == std::string_view::npos ? std::string_view() : pair.substr(equal + 1);
    }
  }
  return {};
}

// The first cookie of that name in any Cookie field (RFC 6265 section 5.4).
std::string_view cookie_value(std::string_view name, const codec::Head& request) {
  std::string_view found;
  request.each([&](const codec::FieldView& field) {
    if (field.id != codec::FieldId::kCookie || !found.empty()) return;
    std::string_view rest = field.value;
    while (!rest.empty() && found.empty()) {
      const std::size_t end = rest.find(';');
      const std::string_view pair = base::trim(rest.substr(0, end));
      if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=') {
        found = pair.substr(name.size() + 1);
      }
      rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    }
  });
  return found;
}

void add_part(const model::KeyTemplate::Piece& piece, const codec::Head& request,
              const ClientFacts& client, std::string& out) {
  switch (piece.part) {
    case Part::kText:
      out += piece.text;
      break;
    case Part::kRequestUri:
      out += request.target();
      break;
    case Part::kUri:
      add_decoded(request.path(), out);
      break;
    case Part::kArgs:
      out += request.query();
      break;
    case Part::kHost:
      out += base::to_lower(base::without_port(request.authority()));
      break;
    case Part::kRemoteAddr:
      out += client.address;
      break;
    case Part::kBinaryAddr:
      out += client.peer.ip_bytes();
      break;
    case Part::kRequestMethod:
      out += request.method();
      break;
    case Part::kScheme:
      out += client.tls != nullptr ? "https" : "http";
      break;
    case Part::kServerPort:
      out += std::to_string(client.listener->public_port);
      break;
    case Part::kArg:
      out += query_value(request.query(), piece.text);
      break;
    case Part::kHeader:
      out += piece.text == "host" ? request.authority()
                                  : request.find(piece.text).value_or(std::string_view());
      break;
    case Part::kCookie:
      out += cookie_value(piece.text, request);
      break;
  }
}

// Browsers that take SameSite=None for Strict, by ingress-nginx's list.
bool knows_none(std::string_view agent) {
  const auto has = [agent](std::string_view part) { return agent.find(part) != agent.npos; };
  if (has("Chrome/4") || has("Chrome/5") || has("Chrome/6")) return false;
  if (has("CPU iPhone OS 12") || has("iPad; CPU OS 12")) return false;
  return !(has("Macintosh") && has("Intel Mac OS X 10_14") && has("Safari") && !has("Chrome"));
}

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7).
std::string http_date(std::time_t at) {
  std::tm parts{};
  ::gmtime_r(&at, &parts);
  std::array<char, 40> text{};
  const std::size_t size =
      std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text.data(), size};
}

}  // namespace

std::string key_of(const model::KeyTemplate& key, const codec::Head& request,
                   const ClientFacts& client) {
  std::string out;
  for (const model::KeyTemplate::Piece& piece : key.pieces()) {
    add_part(piece, request, client, out);
  }
  return out;
}

std::string_view session_key(std::string_view cookie_name, const codec::Head& request) {
  const std::string_view value = cookie_value(cookie_name, request);
  return value.substr(0, value.find('|'));
}

std::string session_tag(std::string_view cluster) {
  std::string name(cluster.substr(0, cluster.find('#')));
  for (char& c : name) {
    if (c == '/') c = '-';
  }
  return base::hex(crypto::md5(base::hex(crypto::md5(name)) + name));
}

std::string new_session_key(base::WallTime now, std::uint64_t salt) {
  const auto millis =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  const std::string fraction = std::to_string(1'000 + millis % 1'000).substr(1);
  const std::uint64_t random =
      base::mix64(salt ^ base::process_seed(), 0x9e3779b97f4a7c15ULL) % 999'999 + 1;
  return std::to_string(millis / 1'000) + "." + fraction + "." + std::to_string(::getpid()) + "." +
         std::to_string(random);
}

std::string session_cookie(const model::SessionCookie& settings, const SessionFacts& facts) {
  std::string out = settings.name + "=" + std::string(facts.key) + "|" + std::string(facts.tag);
  if (settings.expires) {
    const auto now = std::chrono::system_clock::to_time_t(facts.now);
    const std::uint64_t seconds = std::min(*settings.expires, kMostSeconds);
    out += "; Expires=" + http_date(now + static_cast<std::time_t>(seconds));
  }
  if (settings.max_age) out += "; Max-Age=" + std::to_string(*settings.max_age);
  if (!settings.domain.empty()) out += "; Domain=" + settings.domain;
  out += "; Path=" + settings.path;
  if (settings.secure || facts.tls) out += "; Secure";
  out += "; HttpOnly";
  model::SameSite same_site = settings.same_site;
  if (same_site == model::SameSite::kNone && settings.conditional_none &&
      !knows_none(facts.user_agent)) {
    same_site = model::SameSite::kUnset;
  }
  if (same_site != model::SameSite::kUnset) {
    out += "; SameSite=" + std::string(enum_names(same_site)[static_cast<std::size_t>(same_site)]);
  }
  if (settings.partitioned) out += "; Partitioned";
  return out;
}

}  // namespace weir::exchange
