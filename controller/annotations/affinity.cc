#include <algorithm>
#include <array>

#include "controller/annotations/numbers.h"

// Cookie affinity in ingress-nginx's form. Typed settings of route and cluster; wins over
// load-balance and upstream-hash-by.

namespace weir::annotations {
namespace {

constexpr std::uint64_t kMostSeconds = 3'153'600'000;  // a century

// Bytes that a cookie's name may have (RFC 6265: a token).
bool is_token(std::string_view text) {
  static constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && text.size() <= 128 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

// What an attribute's value may have: nothing that ends it.
bool is_attribute(std::string_view text) {
  return text.size() <= 1'024 && std::all_of(text.begin(), text.end(), [](char c) {
           return c > 0x20 && c < 0x7f && c != ';' && c != ',' && c != '"' && c != '\\';
         });
}

// The value, or the fallback when it is absent or bad.
std::string read_text(const FeatureInput& input, std::string_view key,
                      bool (*good)(std::string_view), std::string fallback, FeatureOutput& out) {
  const auto found = find(input, key);
  if (!found || found->value.empty()) return fallback;
  if (good(found->value)) return found->value;
  report_bad(input, *found,
             "must be text that a cookie can hold, without blanks, ';' and ','; " +
                 (fallback.empty() ? "it is left out" : "'" + fallback + "' is used"),
             out);
  return fallback;
}

model::SameSite read_same_site(const FeatureInput& input, FeatureOutput& out) {
  const auto found = find(input, "session-cookie-samesite");
  if (!found || found->value.empty()) return model::SameSite::kUnset;
  if (found->value == "None") return model::SameSite::kNone;
  if (found->value == "Lax") return model::SameSite::kLax;
  if (found->value == "Strict") return model::SameSite::kStrict;
  report_bad(input, *found, "must be None, Lax or Strict; it is left out", out);
  return model::SameSite::kUnset;
}

model::SessionCookie read_cookie(const FeatureInput& input, FeatureOutput& out) {
  model::SessionCookie cookie;
  const std::string path =
      input.path == nullptr || input.path->path.empty() ? "/" : input.path->path;
  cookie.name = read_text(input, "session-cookie-name", is_token, cookie.name, out);
  cookie.path =
      read_text(input, "session-cookie-path", is_attribute, is_attribute(path) ? path : "/", out);
  cookie.domain = read_text(input, "session-cookie-domain", is_attribute, "", out);
  cookie.expires =
      read_number(input, "session-cookie-expires", {0, kMostSeconds}, "it is left out", out);
  cookie.max_age =
      read_number(input, "session-cookie-max-age", {0, kMostSeconds}, "it is left out", out);
  cookie.same_site = read_same_site(input, out);
  cookie.secure = read_bool(input, "session-cookie-secure", false, out);
  cookie.conditional_none =
      read_bool(input, "session-cookie-conditional-samesite-none", false, out);
  cookie.change_on_failure = read_bool(input, "session-cookie-change-on-failure", false, out);
  cookie.partitioned = read_bool(input, "session-cookie-partitioned", false, out);
  return cookie;
}

model::Balance read_mode(const FeatureInput& input, FeatureOutput& out) {
  const auto found = find(input, "affinity-mode");
  if (!found || found->value.empty() || found->value == "balanced") return model::Balance::kKetama;
  if (found->value == "persistent") return model::Balance::kNamed;
  report_bad(input, *found, "must be balanced or persistent; balanced is used", out);
  return model::Balance::kKetama;
}

void translate_affinity(const FeatureInput& input, FeatureOutput& out) {
  const auto found = find(input, "affinity");
  if (!found || found->value.empty()) return;
  if (found->value != "cookie") {
    report_bad(input, *found, "must be cookie; there is no affinity", out);
    return;
  }
  out.cookie = read_cookie(input, out);
  out.hash_on.clear();
  out.cluster.balance.policy = read_mode(input, out);
  out.cluster.balance.subset_size = model::Balancing{}.subset_size;
  if (const auto canary = find(input, "affinity-canary-behavior")) {
    out.reports.push_back(annotation_report(input, "AnnotationUnsupported", *canary,
                                            "has no effect: canaries are not supported yet"));
  }
}

constexpr Row row(std::string_view key, std::string_view value, std::string_view help) {
  return {.key = key,
          .aliases = "",
          .scope = Scope::kUpstream,
          .risk = Risk::kLow,
          .value = value,
          .help = help};
}

Row our_row(std::string_view key, std::string_view value, std::string_view help) {
  Row out = row(key, value, help);
  out.ours = true;
  return out;
}

}  // namespace

extern const Feature kAffinity;
const Feature kAffinity = {
    "affinity",
    {row("affinity", "cookie", "Keeps a client at one endpoint by a cookie."),
     row("affinity-mode", "balanced or persistent (balanced)",
         "balanced: some sessions move when endpoints come; persistent: none does."),
     row("affinity-canary-behavior", "sticky or legacy (sticky)",
         "Reported: canaries are not supported yet."),
     row("session-cookie-name", "a cookie's name (INGRESSCOOKIE)", "Name of the cookie."),
     row("session-cookie-path", "a path (the Ingress path)", "Its Path."),
     row("session-cookie-domain", "a domain (none)", "Its Domain."),
     row("session-cookie-expires", "seconds (none)", "Its Expires, from when it is issued."),
     row("session-cookie-max-age", "seconds (none)", "Its Max-Age."),
     row("session-cookie-samesite", "None, Lax or Strict (none)", "Its SameSite."),
     row("session-cookie-conditional-samesite-none", "true or false (false)",
         "No SameSite=None for browsers that refuse it."),
     row("session-cookie-secure", "true or false (false: over HTTPS only)",
         "Secure also on plain HTTP."),
     row("session-cookie-change-on-failure", "true or false (false)",
         "A failed endpoint is left for another, with a new cookie."),
     our_row("session-cookie-partitioned", "true or false (false)", "Its Partitioned.")},
    translate_affinity};

}  // namespace weir::annotations
