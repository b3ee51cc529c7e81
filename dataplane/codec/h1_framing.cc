#include "dataplane/codec/h1_framing.h"

#include <optional>
#include <string_view>

#include "dataplane/codec/h1_authority.h"
#include "dataplane/codec/h1_scan.h"

namespace weir::codec {
namespace {

// Each option may name a field to strip, so their number times that of the fields is work that a
// client could ask for.
constexpr int kMostConnectionOptions = 64;

// The fields that decide, gathered in one walk.
struct Gathered {
  int options = 0;  // of Connection
  int hosts = 0;
  int lengths = 0;
  int codings = 0;
  bool has_upgrade = false;
  std::string_view host;
  std::string_view length;
  std::string_view coding;
  bool says_close = false;
  bool says_keep_alive = false;
  bool says_upgrade = false;
};

void read_connection(std::string_view value, Gathered& found) {
  each_in_list(value, [&found](std::string_view option) {
    ++found.options;
    if (same_name(option, "close")) found.says_close = true;
    if (same_name(option, "keep-alive")) found.says_keep_alive = true;
    if (same_name(option, "upgrade")) found.says_upgrade = true;
    return found.options <= kMostConnectionOptions;
  });
}

Gathered gather(const Head& head) {
  Gathered found;
  head.each([&found](const FieldView& f) {
    switch (f.id) {
      case FieldId::kHost:
        ++found.hosts;
        found.host = f.value;
        break;
      case FieldId::kContentLength:
        ++found.lengths;
        found.length = f.value;
        break;
      case FieldId::kTransferEncoding:
        ++found.codings;
        found.coding = f.value;
        break;
      case FieldId::kUpgrade:
        found.has_upgrade = true;
        break;
      case FieldId::kConnection:
        read_connection(f.value, found);
        break;
      default:
        break;
    }
  });
  return found;
}

// 1*DIGIT below 2^63; nothing else (RFC 9110 section 8.6).
std::optional<std::uint64_t> read_length(std::string_view text) {
  constexpr std::uint64_t kMost = ~std::uint64_t{0} >> 1;
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (kMost - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

// Not exactly "chunked": 501 when a well-formed list ends with one "chunked" behind codings that we
// do not know (RFC 9112 section 6.1), else 400.
Refusal judge_coding(std::string_view value) {
  if (same_name(value, "chunked")) return {};
  bool well_formed = true;
  bool ends_chunked = false;
  each_in_list(value, [&](std::string_view coding) {
    well_formed &= is_token(coding) && !ends_chunked && !same_name(coding, "identity");
    ends_chunked = same_name(coding, "chunked");
    return true;
  });
  if (well_formed && ends_chunked) return {501, "Transfer-Encoding: only chunked is known here"};
  return {400, "Transfer-Encoding: anything but a single final chunked"};
}

// Sets framing when a body is announced, leaves it alone when none is.
Refusal judge_framing(const Gathered& found, int version_minor, Framing& framing) {
  if (found.options > kMostConnectionOptions) return {400, "Connection: more than 64 options"};
  if (found.codings > 0) {
    if (version_minor == 0) return {400, "Transfer-Encoding: in an HTTP/1.0 message"};
    if (found.lengths > 0) return {400, "Transfer-Encoding: together with Content-Length"};
    if (found.codings > 1) return {400, "Transfer-Encoding: more than one line"};
    framing.kind = Framing::Kind::kChunked;
    return judge_coding(found.coding);
  }
  if (found.lengths == 0) return {};
  if (found.lengths > 1) return {400, "Content-Length: more than one line"};
  const auto bytes = read_length(found.length);
  if (!bytes) return {400, "Content-Length: not a decimal number below 2^63"};
  framing.kind = *bytes == 0 ? Framing::Kind::kNone : Framing::Kind::kKnown;
  framing.bytes = *bytes;
  return {};
}

Refusal judge_host(Head& head, const Gathered& found, const AbsoluteTarget& absolute) {
  const bool is_absolute = absolute.authority_size > 0;
  if (is_absolute && !is_valid_authority(head.authority())) {
    return {400, "request line: the target's authority is not host or host:port"};
  }
  if (found.hosts > 1) return {400, "Host: more than one line"};
  if (found.hosts == 0) {
    if (head.version_minor() == 0) return {};
    return {400, "Host: missing in an HTTP/1.1 request"};
  }
  if (!is_valid_authority(found.host)) return {400, "Host: not host or host:port"};
  if (is_absolute && !same_authority(found.host, head.authority(), absolute.is_https)) {
    return {400, "Host: differs from the target's authority"};
  }
  head.set_authority(found.host);
  return {};
}

bool keeps_connection(const Gathered& found, int version_minor) {
  if (found.says_close) return false;
  return version_minor == 1 || found.says_keep_alive;
}

}  // namespace

Refusal judge_request(Head& head, const AbsoluteTarget& absolute, HeadFacts& facts) {
  const Gathered found = gather(head);
  if (const Refusal refusal = judge_host(head, found, absolute)) return refusal;
  if (const Refusal refusal = judge_framing(found, head.version_minor(), facts.framing)) {
    return refusal;
  }
  facts.keeps_connection = keeps_connection(found, head.version_minor());
  facts.asks_upgrade = found.has_upgrade && found.says_upgrade && head.version_minor() == 1;
  return {};
}

Refusal judge_response(const Head& head, bool answers_head, HeadFacts& facts) {
  const Gathered found = gather(head);
  const int status = head.status();
  if (Refusal refusal = judge_framing(found, head.version_minor(), facts.framing)) {
    refusal.status = 502;
    return refusal;
  }
  facts.keeps_connection = keeps_connection(found, head.version_minor());
  facts.asks_upgrade = found.has_upgrade && found.says_upgrade && head.version_minor() == 1;
  const bool speaks_of_body = facts.framing.kind != Framing::Kind::kNone;
  if (status < 200 || status == 204) {
    facts.is_suspect = speaks_of_body;
    facts.framing = {};
  } else if (answers_head || status == 304) {
    facts.framing = {};
  } else if (found.codings == 0 && found.lengths == 0) {
    facts.framing.kind = Framing::Kind::kUntilClose;
    facts.keeps_connection = false;
  }
  return {};
}

}  // namespace weir::codec
