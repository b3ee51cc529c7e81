#include "common/features/redirect_https.h"

#include <algorithm>

#include "controller/annotations/reader.h"

// Plain HTTP is redirected to HTTPS where the host has a tls section, or where it is forced because
// TLS ends at an outer load balancer.

namespace weir::annotations {
namespace {

bool is_exempt(const FeatureInput& input) {
  if (input.path == nullptr) return false;
  const auto& paths = input.defaults.no_redirect_paths;
  return std::any_of(paths.begin(), paths.end(), [&](const std::string& prefix) {
    return input.path->path.starts_with(prefix);
  });
}

void translate_redirect_https(const FeatureInput& input, FeatureOutput& out) {
  const bool wished = read_bool(input, "ssl-redirect", input.defaults.ssl_redirect, out);
  const bool forced = read_bool(input, "force-ssl-redirect", false, out);
  features::RedirectHttps settings;
  settings.code = input.defaults.redirect_code;
  settings.port = input.defaults.https_port;
  settings.keep_trailing_slash = read_bool(input, "preserve-trailing-slash", false, out);
  // A host-less rule serves names that no certificate can be known to cover.
  const bool by_tls = wished && input.host_has_tls && input.host != "*";
  if ((!forced && !by_tls) || is_exempt(input)) return;
  out.policies.push_back(make_policy_of(settings));
}

}  // namespace

extern const Feature kRedirectHttps;
const Feature kRedirectHttps = {
    features::RedirectHttps::kStem,
    {{.key = "ssl-redirect",
      .aliases = "",
      .scope = Scope::kPath,
      .risk = Risk::kLow,
      .value = "true or false (true)",
      .help = "Redirects plain HTTP to HTTPS with 308 where the host has a tls section."},
     {.key = "force-ssl-redirect",
      .aliases = "",
      .scope = Scope::kPath,
      .risk = Risk::kMedium,
      .value = "true or false (false)",
      .help = "Redirects plain HTTP to HTTPS also without a tls section."},
     {.key = "preserve-trailing-slash",
      .aliases = "",
      .scope = Scope::kPath,
      .risk = Risk::kMedium,
      .value = "true or false (false)",
      .help = "Keeps the trailing slash of the path in the redirect."}},
    translate_redirect_https};

}  // namespace weir::annotations
