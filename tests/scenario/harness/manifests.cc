#include "tests/scenario/harness/manifests.h"

#include <ctime>

#include "common/base/text.h"

namespace weir::scenario {
namespace {

std::string quoted(const std::string& text) { return "\"" + text + "\""; }

std::string backend(const std::string& indent, const std::string& service,
                    const std::string& port) {
  const bool number = port.find_first_not_of("0123456789") == std::string::npos;
  return indent + "service:\n" + indent + "  name: " + service + "\n" + indent + "  port: {" +
         (number ? "number: " : "name: ") + port + "}\n";
}

std::string rule(const RuleSpec& spec) {
  std::string out =
      spec.host.empty() ? "  - http:\n" : "  - host: " + quoted(spec.host) + "\n    http:\n";
  out += "      paths:\n";
  for (const PathSpec& path : spec.paths) {
    out += "      - path: " + quoted(path.path) + "\n        pathType: " + path.type +
           "\n        backend:\n" + backend("          ", path.service, path.port);
  }
  return out;
}

std::string secret(const std::string& name, const std::string& type,
                   const std::map<std::string, std::string>& data) {
  std::string out = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: " + name +
                    ", namespace: default}\ntype: " + type + "\ndata:\n";
  for (const auto& [key, value] : data)
    out += "  " + key + ": " + base::base64_encode(value) + "\n";
  return out;
}

}  // namespace

std::string ingress(const IngressSpec& spec) {
  std::string out =
      "---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: " + spec.name +
      "\n  namespace: default\n";
  if (!spec.created.empty()) out += "  creationTimestamp: " + quoted(spec.created) + "\n";
  if (!spec.annotations.empty()) out += "  annotations:\n";
  for (const auto& [key, value] : spec.annotations) {
    out += "    nginx.ingress.kubernetes.io/" + key + ": " + quoted(value) + "\n";
  }
  out += "spec:\n";
  if (!spec.class_name.empty()) out += "  ingressClassName: " + spec.class_name + "\n";
  if (!spec.default_service.empty()) {
    out += "  defaultBackend:\n" + backend("    ", spec.default_service, "80");
  }
  if (!spec.secret.empty()) {
    out += "  tls:\n  - secretName: " + spec.secret + "\n";
    if (!spec.tls_hosts.empty()) out += "    hosts:\n";
    for (const std::string& host : spec.tls_hosts) out += "    - " + quoted(host) + "\n";
  }
  if (!spec.rules.empty()) out += "  rules:\n";
  for (const RuleSpec& one : spec.rules) out += rule(one);
  return out;
}

std::string simple_ingress(const std::string& name, const std::string& host,
                           const std::string& service) {
  PathSpec path;
  path.service = service;
  return ingress({.name = name, .rules = {{host, {path}}}});
}

std::string ingress_class() {
  return "---\napiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: weir}\n"
         "spec: {controller: weir.ingress/controller}\n";
}

std::string service(const std::string& name, const std::vector<std::uint16_t>& backends) {
  std::string out = "---\napiVersion: v1\nkind: Service\nmetadata: {name: " + name +
                    ", namespace: default}\nspec:\n  ports:\n  - {name: http, port: 80, "
                    "targetPort: http}\n";
  for (const std::uint16_t port : backends) {
    const std::string number = std::to_string(port);
    out += "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata:\n  name: " + name +
           "-" + number + "\n  namespace: default\n  labels: {kubernetes.io/service-name: " + name +
           "}\naddressType: IPv4\nports:\n- {name: http, port: " + number +
           "}\nendpoints:\n- addresses: [127.0.0.1]\n  conditions: {ready: true}\n";
  }
  return out;
}

std::string tls_secret(const std::string& name, const crypto::PemPair& pair) {
  return secret(name, "kubernetes.io/tls", {{"tls.crt", pair.certificate}, {"tls.key", pair.key}});
}

std::string opaque_secret(const std::string& name, const std::map<std::string, std::string>& data) {
  return secret(name, "Opaque", data);
}

crypto::PemPair make_certificate(const std::vector<std::string>& names) {
  return crypto::make_self_signed(names, std::time(nullptr), 30);
}

std::string fingerprint_of(const crypto::PemPair& pair) {
  return crypto::parse_key_pair(pair.certificate, pair.key).value().fingerprint;
}

}  // namespace weir::scenario
