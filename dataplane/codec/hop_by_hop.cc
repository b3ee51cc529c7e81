#include "dataplane/codec/hop_by_hop.h"

#include <algorithm>
#include <array>

#include "common/base/text.h"
#include "dataplane/codec/h1_scan.h"

namespace weir::codec {
namespace {

bool is_named_by_connection(const Head& head, std::string_view name) {
  bool named = false;
  head.each([&named, name](const FieldView& f) {
    if (f.id != FieldId::kConnection || named) return;
    named = !each_in_list(f.value, [name](std::string_view option) {
      return !base::equals_ignore_case(option, name);
    });
  });
  return named;
}

bool always_ends_here(const FieldView& field) {
  switch (field.id) {
    case FieldId::kConnection:
    case FieldId::kHttp2Settings:
    case FieldId::kKeepAlive:
    case FieldId::kProxyConnection:
    case FieldId::kTransferEncoding:
    case FieldId::kUpgrade:
      return true;
    case FieldId::kTe:
      return !same_name(field.value, "trailers");
    default:
      return false;
  }
}

constexpr std::array<std::string_view, 9> kForbiddenPrefixes = {
    "content-", "if-",        "proxy",    "x-forwarded",    "x-original-",
    "x-real-",  "x-request-", "x-scheme", "access-control-"};

constexpr std::array<std::string_view, 22> kForbiddenNames = {"accept-encoding",
                                                              "age",
                                                              "authentication-info",
                                                              "authorization",
                                                              "cache-control",
                                                              "cookie",
                                                              "date",
                                                              "expect",
                                                              "expires",
                                                              "forwarded",
                                                              "location",
                                                              "max-forwards",
                                                              "origin",
                                                              "pragma",
                                                              "range",
                                                              "retry-after",
                                                              "set-cookie",
                                                              "trailer",
                                                              "vary",
                                                              "via",
                                                              "warning",
                                                              "www-authenticate"};

}  // namespace

bool wants_upgrade(const Head& head) {
  return head.version_minor() == 1 && head.find(FieldId::kUpgrade) &&
         is_named_by_connection(head, "upgrade");
}

void strip_hop_by_hop(Head& head) {
  if (head.find(FieldId::kConnection)) {
    head.remove_if([&head](const FieldView& f) {
      const bool is_kept = f.id == FieldId::kHost || f.id == FieldId::kContentLength ||
                           f.id == FieldId::kConnection ||
                           (f.id == FieldId::kTe && same_name(f.value, "trailers"));
      return !is_kept && is_named_by_connection(head, f.name);
    });
  }
  head.remove_if(always_ends_here);
}

bool is_connection_level(FieldId id) {
  switch (id) {
    case FieldId::kConnection:
    case FieldId::kContentLength:
    case FieldId::kHost:
    case FieldId::kHttp2Settings:
    case FieldId::kKeepAlive:
    case FieldId::kProxyConnection:
    case FieldId::kTe:
    case FieldId::kTransferEncoding:
    case FieldId::kUpgrade:
      return true;
    default:
      return false;
  }
}

bool is_forbidden_trailer(const FieldView& field) {
  if (is_connection_level(field.id)) return true;
  if (field.name.find('_') != std::string_view::npos) return true;
  const auto begins = [&field](std::string_view prefix) {
    return base::starts_with_ignore_case(field.name, prefix);
  };
  const auto is_name = [&field](std::string_view name) { return same_name(field.name, name); };
  return std::any_of(kForbiddenPrefixes.begin(), kForbiddenPrefixes.end(), begins) ||
         std::any_of(kForbiddenNames.begin(), kForbiddenNames.end(), is_name) ||
         same_name(field.name, "strict-transport-security");
}

}  // namespace weir::codec
