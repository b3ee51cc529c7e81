#include "controller/ingress/host_passthrough.h"

#include "controller/annotations/ssl_passthrough.h"
#include "controller/ingress/backend.h"

namespace weir::ingress {
namespace {

using translate::Severity;

// Whether this Ingress asks for it; told when it cannot be had.
bool asks(const Config& config, const std::string& host, const store::Ingress& ingress,
          translate::View& view, translate::UnitResult& result) {
  annotations::FeatureOutput out;
  const annotations::FeatureInput input{config.annotations, ingress, nullptr, host, false, view};
  const bool wanted = annotations::wants_passthrough(input, out);
  for (translate::Report& report : out.reports) result.reports.push_back(std::move(report));
  if (!wanted || config.ssl_passthrough) return wanted;
  const auto found = annotations::find(input, annotations::kSslPassthroughKey);
  result.reports.push_back(
      annotations::annotation_report(input, "AnnotationDisabled", *found,
                                     "needs the controller's flag --enable-ssl-passthrough; "
                                     "without it TLS of the host ends here"));
  return false;
}

struct Root {
  IngressPtr ingress;
  const store::IngressPath* path = nullptr;
  std::string field;
};

Root find_root(const std::string& host, const std::vector<IngressPtr>& serving) {
  for (const IngressPtr& ingress : serving) {
    for (std::size_t r = 0; r < ingress->rules.size(); ++r) {
      const store::IngressRule& rule = ingress->rules[r];
      for (std::size_t p = 0; rule.host == host && p < rule.paths.size(); ++p) {
        if (!rule.paths[p].path.empty() && rule.paths[p].path != "/") continue;
        return {ingress, &rule.paths[p],
                "spec.rules[" + std::to_string(r) + "].http.paths[" + std::to_string(p) + "]"};
      }
    }
  }
  return {};
}

model::WeightedBackend nobody(std::string why) {
  model::WeightedBackend out;
  out.invalid = true;
  out.reason = std::move(why);
  return out;
}

}  // namespace

HostPassthrough choose_passthrough(const Config& config, const std::string& host,
                                   const std::vector<IngressPtr>& serving, translate::View& view,
                                   translate::UnitResult& result) {
  HostPassthrough out;
  for (const IngressPtr& ingress : serving) {
    if (asks(config, host, *ingress, view, result) && out.owner == nullptr) out.owner = ingress;
  }
  if (out.owner == nullptr) return out;
  out.rule = config.stream;
  const Root root = find_root(host, serving);
  if (root.path == nullptr) {
    out.field = "spec.rules";
    out.rule.backends.push_back(nobody("the host has no path /"));
    result.reports.push_back({.object = out.owner->key,
                              .severity = Severity::kWarning,
                              .reason = "PassthroughWithoutPath",
                              .field = "spec.rules",
                              .value = host,
                              .text = "a host that is passed through must have the path /, whose "
                                      "backend it is; until then its clients are turned away"});
    return out;
  }
  out.owner = root.ingress;
  out.field = root.field;
  model::Route route;
  BackendTarget{*root.ingress, view, result, model::Cluster()}.point(
      root.path->backend, root.field + ".backend", route);
  out.rule.backends = std::move(route.backends);
  if (out.rule.backends.empty()) out.rule.backends.push_back(nobody("the backend is no Service"));
  return out;
}

}  // namespace weir::ingress
