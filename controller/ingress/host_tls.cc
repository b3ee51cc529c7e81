#include "controller/ingress/host_tls.h"

#include <algorithm>

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

  std::string use(const store::IngressTls& tls) {
    const auto unit = certificate_unit(ingress.key.ns, tls.secret_name);
    result.wants.push_back(unit);
    return unit.name;
  }

  // The section that names the host; its secret must serve, there is no second try.
  std::string of_named(std::size_t index) {
    const store::IngressTls& tls = ingress.tls[index];
    if (tls.secret_name.empty()) return default_certificate_name(config, view);
    const auto found = read_certificate(view, ingress.key.ns, tls.secret_name);
    if (found.pair != nullptr && crypto::covers(found.pair->names, host)) return use(tls);
    if (found.pair == nullptr) {
      report(index, found.reason,
             found.problem + "; until then host " + host + " is served with the default one");
    } else {
      report(index, "CertificateMismatch",
             "the certificate must cover host " + host +
                 "; until then the host is served with the default one");
    }
    return default_certificate_name(config, view);
  }

  std::string of_covering() {
    for (const store::IngressTls& tls : ingress.tls) {
      if (tls.secret_name.empty()) continue;
      const auto found = read_certificate(view, ingress.key.ns, tls.secret_name);
      if (found.pair != nullptr && crypto::covers(found.pair->names, host)) return use(tls);
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

  std::string name() {
    for (std::size_t i = 0; i < ingress.tls.size(); ++i) {
      const auto& hosts = ingress.tls[i].hosts;
      if (std::find(hosts.begin(), hosts.end(), host) != hosts.end()) return of_named(i);
    }
    return of_covering();
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
  out.certificates.push_back(Choice{config, host, **found, view, result}.name());
  return out;
}

}  // namespace weir::ingress
