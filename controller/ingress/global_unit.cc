#include <set>

#include "controller/ingress/builders.h"
#include "controller/ingress/ingress_class.h"
#include "controller/ingress/secret_choice.h"
#include "controller/ingress/ticket_keys.h"
#include "controller/policies/settings_now.h"

// Listeners, settings, default certificate and ticket keys.

namespace weir::ingress {
namespace {

using translate::Report;
using translate::Severity;
using translate::UnitResult;

constexpr std::size_t kSmallestDebugKey = 32;

// The certificates of host-less tls sections, oldest Ingress first, one per key type: they serve
// clients without SNI and names that no host has a certificate for.
std::vector<std::string> hostless_certificates(const Config& config, translate::View& view,
                                               UnitResult& result) {
  std::vector<std::string> names;
  std::set<std::string> key_types;
  std::vector<Report> class_reports;  // the hosts' units give these
  for (const IngressPtr& ingress : our_ingresses(config, "*", view, class_reports)) {
    for (std::size_t i = 0; i < ingress->tls.size(); ++i) {
      const store::IngressTls& tls = ingress->tls[i];
      if (!tls.hosts.empty() || tls.secret_name.empty()) continue;
      const auto found = read_certificate(view, ingress->key.ns, tls.secret_name);
      if (found.pair == nullptr) {
        result.reports.push_back(
            {.object = ingress->key,
             .severity = Severity::kWarning,
             .reason = found.reason,
             .field = "spec.tls[" + std::to_string(i) + "].secretName",
             .value = tls.secret_name,
             .text = found.problem + "; until then the default certificate is served"});
        continue;
      }
      if (!key_types.insert(found.pair->key_type).second) continue;
      result.wants.push_back(certificate_unit(ingress->key.ns, tls.secret_name));
      names.push_back(result.wants.back().name);
    }
  }
  return names;
}

void check_default_secret(const Config& config, translate::View& view, UnitResult& result) {
  const NamePair flag = split_name(config.default_ssl_certificate);
  if (flag.name.empty()) return;
  const auto found = read_certificate(view, flag.ns, flag.name);
  if (found.pair != nullptr) {
    result.wants.push_back(certificate_unit(flag.ns, flag.name));
    return;
  }
  result.reports.push_back({.object = {store::Kind::kSecret, flag.ns, flag.name},
                            .severity = Severity::kWarning,
                            .reason = found.reason,
                            .field = "--default-ssl-certificate",
                            .value = config.default_ssl_certificate,
                            .text = found.problem + "; until then a self-signed one is served"});
}

// The ring of the Secret that replicas share, or this process's own. No report repeats what the
// Secret holds.
TicketRing ticket_ring(const Config& config, translate::View& view, UnitResult& result) {
  const NamePair flag = split_name(config.ticket_keys_secret);
  if (flag.name.empty()) return config.own_tickets;
  const auto secret = view.get<store::Secret>(store::Kind::kSecret, flag.ns, flag.name);
  const std::string text = secret == nullptr || !secret->data.contains(std::string(kTicketField))
                               ? ""
                               : secret->data.at(std::string(kTicketField));
  auto ring = parse_ticket_ring(text);
  if (!text.empty() && ring.ok()) return std::move(ring).value();
  Report report{.object = {store::Kind::kSecret, flag.ns, flag.name},
                .severity = Severity::kWarning,
                .reason = secret == nullptr ? "SecretNotFound" : "SecretInvalid",
                .field = "data[" + std::string(kTicketField) + "]",
                .value = "",
                .text = ""};
  if (secret == nullptr) {
    report.text = "must be there, empty, for the leader to write ticket keys into";
  } else if (text.empty()) {
    report.severity = Severity::kNote;
    report.reason = "TicketKeysMissing";
    report.text =
        "holds no ticket keys yet: the leader writes them, if its role lets it patch this Secret";
  } else {
    report.text = ring.error().text + "; the leader writes new keys";
  }
  report.text += "; until then sessions of one replica are not resumed by another";
  result.reports.push_back(std::move(report));
  return config.own_tickets;
}

// Text that people sign with: an end of line behind it is no part of it. Empty: no request is told
// anything. No report repeats what the Secret holds.
std::string debug_key(const Config& config, translate::View& view, UnitResult& result) {
  const NamePair flag = split_name(config.debug_key_secret);
  if (flag.name.empty()) return {};
  const auto secret = view.get<store::Secret>(store::Kind::kSecret, flag.ns, flag.name);
  if (secret != nullptr) {
    const auto found = secret->data.find("key");
    std::string key = found == secret->data.end() ? "" : found->second;
    while (!key.empty() && (key.back() == '\n' || key.back() == '\r')) key.pop_back();
    if (key.size() >= kSmallestDebugKey) return key;
  }
  result.reports.push_back(
      {.object = {store::Kind::kSecret, flag.ns, flag.name},
       .severity = Severity::kWarning,
       .reason = secret == nullptr ? "SecretNotFound" : "SecretInvalid",
       .field = "--debug-key-secret",
       .value = config.debug_key_secret,
       .text = "must be a Secret whose key named key has at least 32 bytes; until then no request "
               "is told its decisions"});
  return {};
}

}  // namespace

UnitResult build_global(const Config& config, translate::View& view) {
  UnitResult result;
  const std::string key = debug_key(config, view, result);
  const NamePair object = split_name(config.settings_object);
  result.resources.push_back(model::make_resource(
      policies::settings_now(object.ns, object.name, config.settings, view, result),
      key.empty() ? std::vector<std::string>{} : std::vector<std::string>{key}));
  const TicketRing tickets = ticket_ring(config, view, result);
  if (!tickets.empty()) result.resources.push_back(ticket_resource(tickets));
  if (config.default_certificate != nullptr) result.resources.push_back(config.default_certificate);
  check_default_secret(config, view, result);

  model::Listener http;
  http.name = "http";
  http.binds = config.http_binds;
  http.public_port = config.http_public_port;
  http.route_table = kTable;
  http.proxy_protocol = config.proxy_protocol;
  if (!http.binds.empty()) result.resources.push_back(model::make_resource(http));

  model::Listener https = http;
  https.name = "https";
  https.binds = config.https_binds;
  https.public_port = config.https_public_port;
  https.protocol = model::ListenerProtocol::kHttps;
  https.default_certificates = hostless_certificates(config, view, result);
  const std::string fallback = default_certificate_name(config, view);
  const bool has_fallback =
      fallback != kDefaultCertificate || config.default_certificate != nullptr;
  if (https.default_certificates.empty() && has_fallback)
    https.default_certificates.push_back(fallback);
  if (!https.binds.empty()) result.resources.push_back(model::make_resource(https));
  add_stream_services(config, view, result);
  return result;
}

}  // namespace weir::ingress
