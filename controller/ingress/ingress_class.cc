#include "controller/ingress/ingress_class.h"

#include <algorithm>

namespace weir::ingress {
namespace {

constexpr const char* kClassAnnotation = "kubernetes.io/ingress.class";

bool is_named_class_ours(const Config& config, const store::Ingress& ingress, translate::View& view,
                         std::vector<translate::Report>& reports) {
  const std::string& name = *ingress.class_name;
  const bool by_name = config.ingress_class_by_name && name == config.ingress_class;
  const auto named = view.get<store::IngressClass>(store::Kind::kIngressClass, "", name);
  if (named != nullptr) return by_name || named->controller == config.controller_class;
  if (by_name) return true;
  if (name == config.ingress_class) {
    reports.push_back({.object = ingress.key,
                       .severity = translate::Severity::kWarning,
                       .reason = "IngressClassNotFound",
                       .field = "spec.ingressClassName",
                       .value = name,
                       .text = "must name an IngressClass that exists, with spec.controller " +
                               config.controller_class + "; until then the Ingress is not served"});
  }
  return false;
}

bool has_our_default_class(const Config& config, translate::View& view) {
  const auto classes = view.find<store::IngressClass>(store::Index::kIngressClasses, "");
  return std::any_of(classes.begin(), classes.end(), [&](const auto& one) {
    return one->is_default && one->controller == config.controller_class;
  });
}

}  // namespace

bool is_ours(const Config& config, const store::Ingress& ingress, translate::View& view,
             std::vector<translate::Report>& reports) {
  if (ingress.class_name) return is_named_class_ours(config, ingress, view, reports);
  const auto annotation = ingress.annotations.find(kClassAnnotation);
  if (annotation != ingress.annotations.end())
    return !annotation->second.empty() && annotation->second == config.ingress_class;
  return config.watch_without_class || has_our_default_class(config, view);
}

std::vector<IngressPtr> our_ingresses(const Config& config, std::string_view host,
                                      translate::View& view,
                                      std::vector<translate::Report>& reports) {
  auto out = view.find<store::Ingress>(store::Index::kIngressByHost, host);
  std::erase_if(out, [&](const IngressPtr& one) { return !is_ours(config, *one, view, reports); });
  // The index gives ascending namespace/name already.
  std::stable_sort(out.begin(), out.end(), [](const IngressPtr& a, const IngressPtr& b) {
    return a->created < b->created;
  });
  return out;
}

}  // namespace weir::ingress
