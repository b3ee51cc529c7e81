#include "controller/ingress/host_tls.h"

#include <algorithm>
#include <set>

#include "common/crypto/certificate.h"
#include "controller/ingress/secret_choice.h"

namespace weir::ingress {
namespace {

using translate::Report;
using translate::Severity;

struct Choice {
  const Config& config;
  const std::string& host;
  const store::Ingress& ingress;
  translate::View& view;
  translate::UnitResult& result;

  void report(std::size_t index, std::string_view reason, std::string text) {
    const store::IngressTls& tls = ingress.tls[index];
    result.reports.push_back({.object = ingress.key,
                              .severity = Severity::kWarning,
                              .reason = std::string(reason),
                              .field = "spec.tls[" + std::to_string(index) + "].secretName",
                              .value = tls.secret_name,
                              .text = std::move(text)});
  }

  std::string use(std::size_t index, const CertificateSecret& found) {
    if (!found.problem.empty())
      report(index, found.reason,
             found.problem + "; until then the last good certificate is served");
    const auto unit = certificate_unit(ingress.key.ns, ingress.tls[index].secret_name);
    result.wants.push_back(unit);
    return unit.name;
  }

  bool names_host(const store::IngressTls& tls) const {
    return std::find(tls.hosts.begin(), tls.hosts.end(), host) != tls.hosts.end();
  }

  void report_unusable(std::size_t index, const CertificateSecret& found, std::string_view served) {
    const std::string meanwhile =
        found.pair == nullptr
            ? "; until then host " + host + " is served with " + std::string(served)
            : "; until then the host is served with " + std::string(served);
    if (found.pair == nullptr) return report(index, found.reason, found.problem + meanwhile);
    report(index, "CertificateMismatch", "the certificate must cover host " + host + meanwhile);
  }

  // The sections that name the host; their secrets must serve, there is no second try. Several give
  // the host one certificate per key type, and each client gets one that it can verify.
  std::vector<std::string> of_named() {
    std::vector<std::string> out;
    std::set<std::string> key_types;
    std::vector<std::size_t> unusable;
    for (std::size_t i = 0; i < ingress.tls.size(); ++i) {
      const store::IngressTls& tls = ingress.tls[i];
      if (!names_host(tls) || tls.secret_name.empty()) continue;
      const auto found = read_certificate(view, ingress.key.ns, tls.secret_name);
      if (found.pair == nullptr || !crypto::covers(found.pair->names, host)) {
        unusable.push_back(i);
      } else if (key_types.insert(found.pair->key_type).second) {
        out.push_back(use(i, found));
      } else {
        report(
            i, "CertificateRedundant",
            "must have another key type than the certificate of an earlier tls section of host " +
                host + "; it is not served");
      }
    }
    const std::string_view served = out.empty() ? "the default one" : "its other certificate";
    for (const std::size_t i : unusable) {
      report_unusable(i, read_certificate(view, ingress.key.ns, ingress.tls[i].secret_name),
                      served);
    }
    if (out.empty()) out.push_back(default_certificate_name(config, view));
    return out;
  }

  std::string of_covering() {
    for (std::size_t i = 0; i < ingress.tls.size(); ++i) {
      const std::string& name = ingress.tls[i].secret_name;
      if (name.empty()) continue;
      const auto found = read_certificate(view, ingress.key.ns, name);
      if (found.pair != nullptr && crypto::covers(found.pair->names, host)) return use(i, found);
    }
    for (std::size_t i = 0; i < ingress.tls.size(); ++i) {
      if (ingress.tls[i].secret_name.empty()) continue;
      const auto found = read_certificate(view, ingress.key.ns, ingress.tls[i].secret_name);
      if (found.pair == nullptr)
        report(i, found.reason,
               found.problem + "; until then host " + host +
                   " is served with the default certificate");
    }
    result.reports.push_back({.object = ingress.key,
                              .severity = Severity::kNote,
                              .reason = "HostWithoutCertificate",
                              .field = "spec.tls",
                              .value = host,
                              .text = "no tls section names this host and no secret of them covers "
                                      "it; it is served with the default certificate"});
    return default_certificate_name(config, view);
  }

  std::vector<std::string> names() {
    const auto named = [this](const store::IngressTls& tls) { return names_host(tls); };
    if (std::any_of(ingress.tls.begin(), ingress.tls.end(), named)) return of_named();
    return {of_covering()};
  }
};

// A host without tls of its own is redirected when its wildcard sibling has one.
bool sibling_has_tls(const Config& config, const std::string& host, translate::View& view) {
  const std::size_t dot = host.find('.');
  if (dot == std::string::npos || host.starts_with("*")) return false;
  std::vector<Report> reports;  // the sibling's own unit gives these
  const auto siblings = our_ingresses(config, "*" + host.substr(dot), view, reports);
  return std::any_of(siblings.begin(), siblings.end(),
                     [](const IngressPtr& one) { return !one->tls.empty(); });
}

}  // namespace

HostTls choose_tls(const Config& config, const std::string& host,
                   const std::vector<IngressPtr>& ingresses, translate::View& view,
                   translate::UnitResult& result) {
  HostTls out;
  const auto found = std::find_if(ingresses.begin(), ingresses.end(),
                                  [](const IngressPtr& one) { return !one->tls.empty(); });
  if (found == ingresses.end()) {
    out.redirects = sibling_has_tls(config, host, view);
    return out;
  }
  out.redirects = true;
  out.provider = *found;
  out.certificates = Choice{config, host, **found, view, result}.names();
  return out;
}

}  // namespace weir::ingress
