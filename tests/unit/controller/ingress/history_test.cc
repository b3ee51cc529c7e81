#include "tests/unit/controller/ingress/history.h"

#include "common/crypto/certificate.h"

namespace weir::ingress {
namespace {

using store::Kind;

const std::vector<std::string> kNamespaces = {"a", "b"};
const std::vector<std::string> kNames = {"one", "two", "three", "four"};
const std::vector<std::string> kHosts = {"", "x.test", "y.test", "*.test", "z.test", "x.y.test"};
const std::vector<std::string> kPaths = {"/", "/p", "/p/", "/p/q", "/r", ""};
const std::vector<std::string> kPorts = {"web", "admin"};
const std::vector<std::string> kClasses = {"weir", "weir", "weir", "other", "gone"};
const std::vector<std::pair<std::string, std::string>> kAnnotations = {
    {"ssl-redirect", "false"},        {"force-ssl-redirect", "true"},
    {"force-ssl-redirect", "yes"},    {"proxy-body-size", "2m"},
    {"proxy-body-size", "much"},      {"auth-type", "basic"},
    {"auth-secret", "one"},           {"auth-secret", "b/two"},
    {"auth-secret-type", "auth-map"}, {"auth-url", "http://a.test/"},
    {"enable-cors", "true"},          {"nobody-knows", "1"}};

// Making keys is slow: a few serve all histories.
const crypto::PemPair& pem(std::size_t which) {
  static const std::vector<crypto::PemPair> all = {
      crypto::make_self_signed({"x.test"}, 1'800'000'000, 30),
      crypto::make_self_signed({"*.test", "z.test"}, 1'800'000'000, 30)};
  return all[which];
}

store::ObjectKey key_in(Kind kind, const std::string& ns, const std::string& name) {
  return {kind, store::row(kind).descriptor.namespaced ? ns : "", name};
}

}  // namespace

std::vector<store::ReadKey> History::step(store::Store& store) {
  const Kind kind = chance(3) ? static_cast<Kind>(below(store::kKinds)) : Kind::kIngress;
  if (!chance(4)) return store.put(make(kind));
  const std::string& name = kind == Kind::kIngressClass ? pick(kClasses) : pick(kNames);
  return store.remove(key_in(kind, pick(kNamespaces), name));
}

store::ObjectPtr History::make(Kind kind) {
  switch (kind) {
    case Kind::kIngress:
      return make_ingress();
    case Kind::kIngressClass:
      return make_class();
    case Kind::kService:
      return make_service();
    case Kind::kEndpointSlice:
      return make_slice();
    case Kind::kSecret:
      return make_secret();
    case Kind::kConfigMap:
      return make_config_map();
    case Kind::kWeirSettings:
      return make_settings();
  }
  return nullptr;
}

store::IngressBackend History::make_backend() {
  store::IngressBackend backend;
  if (chance(8)) {
    backend.resource = "Bucket/b";
    return backend;
  }
  auto& service = backend.service.emplace();
  service.name = pick(kNames);
  if (chance(2)) {
    service.port_name = pick(kPorts);
  } else {
    service.port_number = chance(2) ? 80 : 8080;
  }
  return backend;
}

void History::annotate(store::Ingress& ingress) {
  for (std::size_t i = below(4); i > 0; --i) {
    const auto& [key, value] = kAnnotations[below(kAnnotations.size())];
    ingress.annotations["nginx.ingress.kubernetes.io/" + key] = value;
  }
  if (chance(6)) ingress.annotations["kubernetes.io/ingress.class"] = pick(kClasses);
}

store::ObjectPtr History::make_ingress() {
  auto out = std::make_shared<store::Ingress>();
  out->key = key_in(Kind::kIngress, pick(kNamespaces), pick(kNames));
  out->created = static_cast<std::int64_t>(below(3));
  if (!chance(4)) out->class_name = pick(kClasses);
  annotate(*out);
  for (std::size_t i = below(3); i > 0; --i) {
    store::IngressRule rule;
    rule.host = pick(kHosts);
    for (std::size_t p = below(4); p > 0; --p)
      rule.paths.push_back({pick(kPaths), static_cast<store::PathType>(below(3)), make_backend()});
    out->rules.push_back(std::move(rule));
  }
  if (out->rules.empty() || chance(3)) out->default_backend = make_backend();
  for (std::size_t i = below(3); i > 0; --i) {
    store::IngressTls tls;
    if (!chance(4)) tls.secret_name = pick(kNames);
    if (!chance(4)) tls.hosts.push_back(kHosts[1 + below(kHosts.size() - 1)]);
    out->tls.push_back(std::move(tls));
  }
  return out;
}

store::ObjectPtr History::make_class() {
  auto out = std::make_shared<store::IngressClass>();
  out->key = key_in(Kind::kIngressClass, "", pick(kClasses));
  out->controller = chance(3) ? "some.other/controller" : "weir.ingress/controller";
  out->is_default = chance(3);
  return out;
}

store::ObjectPtr History::make_service() {
  auto out = std::make_shared<store::Service>();
  out->key = key_in(Kind::kService, pick(kNamespaces), pick(kNames));
  out->type = chance(6) ? "ExternalName" : "ClusterIP";
  out->ports.push_back({"web", 80, chance(2) ? "8080" : "http", "", "TCP"});
  if (chance(2)) out->ports.push_back({"admin", 81, "81", "", chance(4) ? "UDP" : "TCP"});
  return out;
}

store::ObjectPtr History::make_slice() {
  auto out = std::make_shared<store::EndpointSlice>();
  out->key = key_in(Kind::kEndpointSlice, pick(kNamespaces), pick(kNames));
  out->service = pick(kNames);
  for (std::size_t i = below(4); i > 0; --i) {
    store::SliceEndpoint endpoint;
    endpoint.address = chance(8) ? "127.0.0.1" : "10.0.0." + std::to_string(1 + below(5));
    endpoint.ready = !chance(3);
    endpoint.terminating = chance(3);
    out->endpoints.push_back(std::move(endpoint));
  }
  out->ports.push_back({"web", chance(4) ? 0 : 8080, "TCP"});
  if (chance(2)) out->ports.push_back({"admin", 81, "TCP"});
  return out;
}

store::ObjectPtr History::make_config_map() {
  auto out = std::make_shared<store::ConfigMap>();
  out->key = key_in(Kind::kConfigMap, pick(kNamespaces), pick(kNames));
  const std::string service = pick(kNamespaces) + "/" + pick(kNames) + ":" + pick(kPorts);
  out->data[chance(4) ? "none" : "900" + std::to_string(below(3))] =
      service + (chance(3) ? ":PROXY" : "") + (chance(4) ? "::::" : "");
  return out;
}

store::ObjectPtr History::make_settings() {
  auto out = std::make_shared<store::WeirSettings>();
  out->key = key_in(Kind::kWeirSettings, pick(kNamespaces), pick(kNames));
  out->spec.set("keepAliveRequests", static_cast<std::int64_t>(below(3)));
  if (chance(3)) out->spec.set("http2Streams", 0);
  return out;
}

store::ObjectPtr History::make_secret() {
  auto out = std::make_shared<store::Secret>();
  out->key = key_in(Kind::kSecret, pick(kNamespaces), pick(kNames));
  if (chance(2)) {
    const auto& pair = pem(below(2));
    out->key_pair.emplace(crypto::parse_key_pair(pair.certificate, chance(4) ? "" : pair.key));
  } else {
    out->data[chance(3) ? "other" : "auth"] = "ann:" + std::to_string(below(3));
  }
  return out;
}

}  // namespace weir::ingress
