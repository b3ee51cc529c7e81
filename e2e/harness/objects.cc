#include "e2e/harness/objects.h"

#include <ctime>

#include "common/base/text.h"

namespace weir::e2e {
namespace {

using base::Json;

Json object(std::string_view api_version, std::string_view kind, std::string_view name,
            bool namespaced = true) {
  Json metadata = Json::object();
  metadata.set("name", name);
  if (namespaced) metadata.set("namespace", "shop");
  Json out = Json::object();
  out.set("apiVersion", api_version);
  out.set("kind", kind);
  out.set("metadata", std::move(metadata));
  return out;
}

Json json(const std::string& text) { return Json::parse(text).value(); }

Json backend(const std::string& service, const std::string& port) {
  const bool number = port.find_first_not_of("0123456789") == std::string::npos;
  return json(R"({"service":{"name":")" + service + R"(","port":{)" +
              (number ? R"("number":)" + port : R"("name":")" + port + '"') + "}}}");
}

Json rule_json(const Rule& rule) {
  Json paths = Json::array();
  for (const Path& one : rule.paths) {
    Json path = Json::object();
    path.set("path", one.path);
    path.set("pathType", one.type);
    path.set("backend", backend(one.service, one.port));
    paths.push(std::move(path));
  }
  Json http = Json::object();
  http.set("paths", std::move(paths));
  Json out = Json::object();
  if (!rule.host.empty()) out.set("host", rule.host);
  out.set("http", std::move(http));
  return out;
}

Json tls_json(const IngressSpec& spec) {
  Json hosts = Json::array();
  for (const std::string& host : spec.tls_hosts) hosts.push(host);
  Json one = Json::object();
  one.set("hosts", std::move(hosts));
  if (!spec.secret.empty()) one.set("secretName", spec.secret);
  Json out = Json::array();
  out.push(std::move(one));
  return out;
}

}  // namespace

Json ingress(const IngressSpec& spec) {
  Json out = object("networking.k8s.io/v1", "Ingress", spec.name);
  if (!spec.annotations.empty()) {
    Json annotations = Json::object();
    for (const auto& [name, value] : spec.annotations) annotations.set(name, value);
    out.find("metadata")->set("annotations", std::move(annotations));
  }
  Json body = Json::object();
  if (!spec.class_name.empty()) body.set("ingressClassName", spec.class_name);
  if (!spec.default_service.empty())
    body.set("defaultBackend", backend(spec.default_service, "80"));
  Json rules = Json::array();
  for (const Rule& rule : spec.rules) rules.push(rule_json(rule));
  if (!spec.rules.empty()) body.set("rules", std::move(rules));
  if (!spec.tls_hosts.empty()) body.set("tls", tls_json(spec));
  out.set("spec", std::move(body));
  return out;
}

Json simple_ingress(const std::string& name, const std::string& host, const std::string& service) {
  return ingress({.name = name, .rules = {{host, {Path{.service = service}}}}});
}

Json ingress_class(const std::string& name, const std::string& controller, bool is_default) {
  Json out = object("networking.k8s.io/v1", "IngressClass", name, false);
  if (is_default) {
    out.find("metadata")
        ->set("annotations", json(R"({"ingressclass.kubernetes.io/is-default-class":"true"})"));
  }
  out.set("spec", json(R"({"controller":")" + controller + R"("})"));
  return out;
}

Json service(const std::string& name) {
  Json out = object("v1", "Service", name);
  out.set("spec", json(R"({"ports":[{"name":"http","port":80,"targetPort":8080}]})"));
  return out;
}

Json slice(const std::string& name, const std::string& service,
           const std::vector<std::string>& addresses) {
  Json out = object("discovery.k8s.io/v1", "EndpointSlice", name);
  out.find("metadata")->set("labels", json(R"({"kubernetes.io/service-name":")" + service + "\"}"));
  out.set("addressType", "IPv4");
  out.set("ports", json(R"([{"name":"http","port":8080,"protocol":"TCP"}])"));
  Json endpoints = Json::array();
  for (const std::string& address : addresses) {
    endpoints.push(json(R"({"addresses":[")" + address + R"("],"conditions":{"ready":true}})"));
  }
  out.set("endpoints", std::move(endpoints));
  return out;
}

Json config_map(const std::string& name, const std::map<std::string, std::string>& data) {
  Json out = object("v1", "ConfigMap", name);
  Json entries = Json::object();
  for (const auto& [key, value] : data) entries.set(key, value);
  out.set("data", std::move(entries));
  return out;
}

Json tls_secret(const std::string& name, const crypto::PemPair& pair) {
  Json out = object("v1", "Secret", name);
  out.set("type", "kubernetes.io/tls");
  Json data = Json::object();
  data.set("tls.crt", base::base64_encode(pair.certificate));
  data.set("tls.key", base::base64_encode(pair.key));
  out.set("data", std::move(data));
  return out;
}

crypto::PemPair make_certificate(const std::string& host) {
  return crypto::make_self_signed({host}, std::time(nullptr), 30);
}

std::string fingerprint_of(const crypto::PemPair& pair) {
  return crypto::parse_key_pair(pair.certificate, pair.key).value().fingerprint;
}

}  // namespace weir::e2e
