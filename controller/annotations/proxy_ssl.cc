#include <algorithm>
#include <array>

#include "common/base/ip.h"
#include "common/base/text.h"
#include "controller/annotations/secret_ref.h"

// TLS to backends: whom to believe, what to present, which name. Typed settings of the cluster;
// they count where the backend's protocol is one over TLS. Other than in ingress-nginx a given
// authority is used: verification is on unless it is switched off.

namespace weir::annotations {
namespace {

constexpr std::array<std::string_view, 7> kNeedSecret = {
    "proxy-ssl-verify",      "proxy-ssl-verify-depth", "proxy-ssl-name",   "proxy-ssl-sans",
    "proxy-ssl-server-name", "proxy-ssl-protocols",    "proxy-ssl-ciphers"};

bool is_name(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

void report_lonely(const FeatureInput& input, FeatureOutput& out) {
  for (const std::string_view key : kNeedSecret) {
    const auto found = find(input, key);
    if (!found) continue;
    out.reports.push_back(annotation_report(input, "AnnotationIncomplete", *found,
                                            "has no effect without proxy-ssl-secret"));
  }
}

// What the Secret holds becomes resources of its own.
void use_secret(const FeatureInput& input, const Found& found, FeatureOutput& out) {
  const SecretRef ref = read_secret_ref(input, found);
  if (ref.secret == nullptr) return deny(input, found, ref.problem, out);
  model::UpstreamTls& tls = out.cluster.tls;
  const auto& trust = ref.secret->trust;
  const auto& pair = ref.secret->key_pair;
  if (!trust && !pair) {
    return deny(input, found, "the Secret must have ca.crt, or tls.crt and tls.key", out);
  }
  if (trust && !trust->ok()) return deny(input, found, trust->error().text, out);
  if (pair && !pair->ok()) return deny(input, found, pair->error().text, out);
  if (trust) {
    tls.trust = ref.name;
    out.wants.push_back({translate::UnitType::kTrust, ref.name});
  }
  if (pair) {
    tls.client_certificate = ref.name;
    out.wants.push_back({translate::UnitType::kCertificate, ref.name});
  }
  tls.verify = read_switch(input, "proxy-ssl-verify", trust.has_value(), out);
  if (!tls.verify || trust) return;
  deny(input, *find(input, "proxy-ssl-verify"), "needs ca.crt in the Secret of proxy-ssl-secret",
       out);
}

// A name that cannot be honoured would verify another one: closed.
std::string read_name(const FeatureInput& input, FeatureOutput& out) {
  const auto found = find(input, "proxy-ssl-name");
  if (!found) return {};
  std::string name = base::to_lower(found->value);
  if (is_name(name) || base::is_ip_literal(name)) return name;
  deny(input, *found, "must be a host name or an IP address", out);
  return {};
}

void read_sans(const FeatureInput& input, FeatureOutput& out) {
  const auto found = find(input, "proxy-ssl-sans");
  if (!found) return;
  for (const std::string_view part : base::split(found->value, ',')) {
    std::string name = base::to_lower(base::trim(part));
    if (!is_name(name) && !base::is_ip_literal(name)) {
      return deny(input, *found, "must be host names or IP addresses, separated by commas", out);
    }
    out.cluster.tls.sans.push_back(std::move(name));
  }
}

void read_names(const FeatureInput& input, FeatureOutput& out) {
  model::UpstreamTls& tls = out.cluster.tls;
  const std::string name = read_name(input, out);
  read_sans(input, out);
  if (tls.sans.empty() && !name.empty()) tls.sans.push_back(name);
  if (!read_switch(input, "proxy-ssl-server-name", false, out)) return;
  // RFC 6066 section 3: literal addresses are not sent.
  if (base::is_ip_literal(name)) return;
  if (!name.empty()) {
    tls.server_name = name;
  } else if (input.path != nullptr && input.path->backend.service) {
    tls.server_name = input.path->backend.service->name + "." + input.ingress.key.ns + ".svc";
  }
}

void read_protocols(const FeatureInput& input, FeatureOutput& out) {
  const auto found = find(input, "proxy-ssl-protocols");
  if (!found) return;
  auto& protocols = out.cluster.tls.protocols;
  bool known = true;
  bool old = false;
  for (const std::string_view name : base::split(found->value, ' ')) {
    const bool is_old = name == "SSLv2" || name == "SSLv3" || name == "TLSv1" || name == "TLSv1.1";
    const auto version = name == "TLSv1.2" ? model::TlsVersion::kTls12 : model::TlsVersion::kTls13;
    const bool fine = name == "TLSv1.2" || name == "TLSv1.3";
    known = known && (fine || is_old || name.empty());
    old = old || is_old;
    const bool there = std::find(protocols.begin(), protocols.end(), version) != protocols.end();
    if (fine && !there) protocols.push_back(version);
  }
  std::sort(protocols.begin(), protocols.end());
  if (!known || protocols.empty()) {
    protocols.clear();
    out.reports.push_back(annotation_report(input, kInvalidReason, *found,
                                            "must be TLSv1.2, TLSv1.3 or both; both are used"));
  } else if (old) {
    out.reports.push_back(annotation_report(input, "AnnotationPartlyUsed", *found,
                                            "versions before TLSv1.2 are not spoken"));
  }
  if (protocols.size() == 2) protocols.clear();
}

void read_ciphers(const FeatureInput& input, FeatureOutput& out) {
  const auto found = find(input, "proxy-ssl-ciphers");
  if (!found || found->value == "DEFAULT") return;
  const auto fine = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("+:_-!@=").find(c) != std::string_view::npos;
  };
  if (!found->value.empty() && std::all_of(found->value.begin(), found->value.end(), fine)) {
    out.cluster.tls.ciphers = found->value;
    return;
  }
  out.reports.push_back(
      annotation_report(input, kInvalidReason, *found,
                        "must be cipher names as OpenSSL has them, separated by colons; the "
                        "default is used"));
}

void translate_proxy_ssl(const FeatureInput& input, FeatureOutput& out) {
  const auto secret = find(input, "proxy-ssl-secret");
  if (!secret) return report_lonely(input, out);
  use_secret(input, *secret, out);
  out.cluster.tls.verify_depth = read_depth(input, "proxy-ssl-verify-depth", out);
  read_names(input, out);
  read_protocols(input, out);
  read_ciphers(input, out);
}

}  // namespace

extern const Feature kProxySsl;
const Feature kProxySsl = {
    "proxy_ssl",
    {{.key = "proxy-ssl-secret",
      .aliases = "",
      .scope = Scope::kPath,
      .risk = Risk::kMedium,
      .value = "[namespace/]name of a Secret in the Ingress's namespace",
      .help =
          "ca.crt (and ca.crl) to verify backends over TLS by, tls.crt and tls.key to present to "
          "them; a missing or broken Secret closes the path."},
     {.key = "proxy-ssl-verify",
      .aliases = "",
      .scope = Scope::kPath,
      .risk = Risk::kLow,
      .value = "on or off (on where the Secret has ca.crt)",
      .help = "Verifies chain, purpose, dates and name of the backend's certificate."},
     {.key = "proxy-ssl-verify-depth",
      .aliases = "",
      .scope = Scope::kPath,
      .risk = Risk::kLow,
      .value = "0..100 (1)",
      .help = "Most intermediate authorities in the backend's chain."},
     {.key = "proxy-ssl-name",
      .aliases = "",
      .scope = Scope::kPath,
      .risk = Risk::kHigh,
      .value = "a host name or IP address (service.namespace.svc)",
      .help = "The name that the backend's certificate must have among its alternative names."},
     {.key = "proxy-ssl-sans",
      .aliases = "",
      .scope = Scope::kPath,
      .risk = Risk::kHigh,
      .value = "host names or IP addresses, separated by commas (proxy-ssl-name)",
      .help = "Names of which the backend's certificate must have one, instead of proxy-ssl-name.",
      .ours = true},
     {.key = "proxy-ssl-server-name",
      .aliases = "",
      .scope = Scope::kPath,
      .risk = Risk::kLow,
      .value = "on or off (off)",
      .help = "Sends the name to the backend (SNI)."},
     {.key = "proxy-ssl-protocols",
      .aliases = "",
      .scope = Scope::kPath,
      .risk = Risk::kLow,
      .value = "TLSv1.2, TLSv1.3 or both, separated by blanks (both)",
      .help = "TLS versions towards the backend."},
     {.key = "proxy-ssl-ciphers",
      .aliases = "",
      .scope = Scope::kPath,
      .risk = Risk::kMedium,
      .value = "cipher names as OpenSSL has them, separated by colons",
      .help = "Ciphers of TLS 1.2 towards the backend."}},
    translate_proxy_ssl};

}  // namespace weir::annotations
