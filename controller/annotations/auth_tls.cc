#include "controller/annotations/auth_tls.h"

#include <algorithm>
#include <array>

#include "common/routing/pattern.h"
#include "controller/annotations/secret_ref.h"

// Certificates of clients. Host-wide: the oldest Ingress of a host that names a Secret decides, and
// what cannot be honoured closes the whole host.

namespace weir::annotations {
namespace {

using Mode = model::ClientCertificateMode;

constexpr std::array<std::string_view, 5> kNeedSecret = {
    "auth-tls-verify-client", "auth-tls-verify-depth", "auth-tls-error-page", "auth-tls-match-cn",
    "auth-tls-pass-certificate-to-upstream"};

Mode read_verify_mode(const FeatureInput& input, FeatureOutput& out) {
  const auto found = find(input, "auth-tls-verify-client");
  if (!found || found->value == "on") return Mode::kRequired;
  if (found->value == "off") return Mode::kOff;
  if (found->value == "optional") return Mode::kOptional;
  if (found->value == "optional_no_ca") return Mode::kOptionalNoCa;
  out.reports.push_back(annotation_report(
      input, kInvalidReason, *found, "must be on, off, optional or optional_no_ca; on is used"));
  return Mode::kRequired;
}

std::string read_error_page(const FeatureInput& input, FeatureOutput& out) {
  const auto found = find(input, "auth-tls-error-page");
  if (!found) return {};
  const std::string& url = found->value;
  const bool web = url.starts_with("https://") || url.starts_with("http://");
  const bool clean = std::all_of(url.begin(), url.end(), [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7f &&
           c != '"' && c != '\\';
  });
  if (web && clean) return url;
  out.reports.push_back(
      annotation_report(input, kInvalidReason, *found,
                        "must be an http:// or https:// URL; 400 is answered instead"));
  return {};
}

std::string read_match(const FeatureInput& input, FeatureOutput& out) {
  const auto found = find(input, "auth-tls-match-cn");
  if (!found) return {};
  if (!found->value.starts_with("CN=")) {
    deny(input, *found, "must be CN= and a regular expression", out);
    return {};
  }
  if (const auto good = routing::Pattern::compile(found->value, false); !good.ok()) {
    deny(input, *found, good.error().text, out);
    return {};
  }
  return found->value;
}

void read_trust(const FeatureInput& input, const Found& found, HostClientTls& host,
                FeatureOutput& out) {
  const SecretRef ref = read_secret_ref(input, found);
  if (ref.secret == nullptr) return deny(input, found, ref.problem, out);
  const auto& trust = ref.secret->trust;
  if (!trust) return deny(input, found, "the Secret must have ca.crt", out);
  if (!trust->ok()) return deny(input, found, trust->error().text, out);
  host.rule.trust = ref.name;
  host.wants.push_back({translate::UnitType::kTrust, ref.name});
}

bool is_challenge(const FeatureInput& input) {
  if (input.path == nullptr) return false;
  const auto& paths = input.defaults.no_redirect_paths;
  return std::any_of(paths.begin(), paths.end(), [&](const std::string& prefix) {
    return input.path->path.starts_with(prefix);
  });
}

void translate_auth_tls(const FeatureInput& input, FeatureOutput& out) {
  const bool has_secret = find(input, "auth-tls-secret").has_value();
  for (const std::string_view key : kNeedSecret) {
    const auto found = has_secret ? std::nullopt : find(input, key);
    if (!found) continue;
    out.reports.push_back(annotation_report(input, "AnnotationIncomplete", *found,
                                            "has no effect without auth-tls-secret"));
  }
  const HostClientTls* host = input.client_tls;
  if (host == nullptr) return;
  if (!host->deny_reason.empty()) {
    if (out.deny_reason.empty()) out.deny_reason = host->deny_reason;
    return;
  }
  features::AuthTls settings = host->settings;
  settings.allow_plain = is_challenge(input);
  out.policies.push_back(make_policy_of(settings));
}

}  // namespace

std::optional<HostClientTls> read_client_tls(const FeatureInput& input) {
  const auto secret = find(input, "auth-tls-secret");
  if (!secret) return std::nullopt;
  HostClientTls host;
  FeatureOutput out;
  host.rule.mode = read_verify_mode(input, out);
  host.rule.depth = read_depth(input, "auth-tls-verify-depth", out);
  host.settings.asks = host.rule.mode != Mode::kOff;
  host.settings.error_page = read_error_page(input, out);
  host.settings.match_cn = read_match(input, out);
  host.settings.pass_certificate =
      read_bool(input, "auth-tls-pass-certificate-to-upstream", false, out);
  read_trust(input, *secret, host, out);
  host.deny_reason = std::move(out.deny_reason);
  if (!host.deny_reason.empty() || !host.settings.asks) {
    host.rule = {};
    host.wants.clear();
  }
  host.reports = std::move(out.reports);
  return host;
}

std::optional<translate::Report> client_tls_conflict(const FeatureInput& loser,
                                                     const store::Ingress& winner) {
  const auto found = find(loser, "auth-tls-secret");
  if (!found) return std::nullopt;
  return annotation_report(loser, "HostSettingConflict", *found,
                           "Ingress " + winner.key.ns + "/" + winner.key.name +
                               " (older) decides for host " + std::string(loser.host) +
                               "; what this one says of client certificates has no effect there");
}

extern const Feature kAuthTls;
const Feature kAuthTls = {
    features::AuthTls::kStem,
    {{.key = "auth-tls-secret",
      .aliases = "",
      .scope = Scope::kHost,
      .risk = Risk::kMedium,
      .value = "[namespace/]name of a Secret in the Ingress's namespace",
      .help =
          "ca.crt (and ca.crl) that clients' certificates are verified by, for the whole host; a "
          "missing or broken Secret closes the host."},
     {.key = "auth-tls-verify-client",
      .aliases = "",
      .scope = Scope::kHost,
      .risk = Risk::kMedium,
      .value = "on, off, optional or optional_no_ca (on)",
      .help = "Whether a certificate must come and verify; 400 otherwise."},
     {.key = "auth-tls-verify-depth",
      .aliases = "",
      .scope = Scope::kHost,
      .risk = Risk::kLow,
      .value = "0..100 (1)",
      .help = "Most intermediate authorities in a client's chain."},
     {.key = "auth-tls-error-page",
      .aliases = "",
      .scope = Scope::kHost,
      .risk = Risk::kHigh,
      .value = "http:// or https:// URL",
      .help = "Where a client is redirected to instead of the 400."},
     {.key = "auth-tls-match-cn",
      .aliases = "",
      .scope = Scope::kHost,
      .risk = Risk::kHigh,
      .value = "CN= and a regular expression",
      .help = "Must be found in the subject of the client's certificate; 403 otherwise."},
     {.key = "auth-tls-pass-certificate-to-upstream",
      .aliases = "",
      .scope = Scope::kHost,
      .risk = Risk::kLow,
      .value = "true or false (false)",
      .help = "Sends the client's certificate to the backend as ssl-client-cert."}},
    translate_auth_tls};

}  // namespace weir::annotations
