#include <algorithm>
#include <array>

#include "common/base/ip.h"
#include "common/base/text.h"
#include "controller/store/field_reader.h"
#include "controller/store/parse.h"

// networking.k8s.io/v1 Ingress. The API server has validated what it
// stores; a folder may hold anything.

namespace weir::store {
namespace {

constexpr std::string_view kHostForm =
    "a DNS name in lower case, or \"*.\" and a DNS name (no IP address, no port)";

base::Result<void> read_host(const FieldAt& at, std::string& out) {
  if (auto read = read_string(at, out); !read.ok()) return read;
  if (out.empty()) return {};
  out = base::to_lower(out);
  const std::string_view name = out.starts_with("*.") ? std::string_view(out).substr(2) : out;
  if (!is_dns_name(name) || base::is_ip_literal(name)) return at.wrong(kHostForm);
  return {};
}

base::Result<void> read_service_ref(const FieldAt& at, ServiceRef& out) {
  if (auto read = read_string(at.child("name"), out.name); !read.ok()) return read;
  if (out.name.empty()) return at.child("name").wrong("the name of a Service");
  const FieldAt port = at.child("port");
  if (auto checked = check_object(port); !checked.ok()) return checked;
  if (auto read = read_string(port.child("name"), out.port_name); !read.ok()) return read;
  if (auto read = read_port(port.child("number"), out.port_number); !read.ok()) return read;
  if (out.port_name.empty() == (out.port_number == 0))
    return port.wrong("an object with either name or number (1..65535)");
  if (out.port_name.find('/') != std::string::npos)
    return port.child("name").wrong("a port name without '/'");
  return {};
}

base::Result<void> read_backend(const FieldAt& at, IngressBackend& out) {
  if (auto checked = check_object(at); !checked.ok()) return checked;
  const bool service = at.json["service"].is_object();
  const base::Json& resource = at.json["resource"];
  if (service == resource.is_object()) return at.wrong("an object with either service or resource");
  if (!service) {
    out.resource = resource["kind"].as_string() + "/" + resource["name"].as_string();
    return {};
  }
  return read_service_ref(at.child("service"), out.service.emplace());
}

// The sequences that the API server refuses, because they never survive normalisation.
bool has_odd_segments(std::string_view path) {
  static constexpr std::array<std::string_view, 5> kAnywhere = {"//", "/./", "/../", "%2f", "%2F"};
  for (const auto sequence : kAnywhere)
    if (path.find(sequence) != std::string_view::npos) return true;
  return path.ends_with("/..") || path.ends_with("/.");
}

base::Result<void> read_path_type(const FieldAt& at, PathType& out) {
  std::string text;
  if (auto read = read_string(at, text); !read.ok()) return read;
  if (text.empty() || text == "ImplementationSpecific") {
    out = PathType::kImplementationSpecific;
  } else if (text == "Exact") {
    out = PathType::kExact;
  } else if (text == "Prefix") {
    out = PathType::kPrefix;
  } else {
    return at.wrong("Exact, Prefix or ImplementationSpecific");
  }
  return {};
}

base::Result<void> read_path(const FieldAt& at, IngressPath& out) {
  if (auto read = read_path_type(at.child("pathType"), out.type); !read.ok()) return read;
  const FieldAt path = at.child("path");
  if (auto read = read_string(path, out.path); !read.ok()) return read;
  const bool literal = out.type != PathType::kImplementationSpecific;
  if (out.path.empty() && out.type == PathType::kExact) return path.wrong("an absolute path");
  if (!out.path.empty() && out.path.front() != '/') return path.wrong("an absolute path");
  if (literal && has_odd_segments(out.path))
    return path.wrong("a path without \"//\", \"/./\", \"/../\" or \"%2f\"");
  return read_backend(at.child("backend"), out.backend);
}

base::Result<void> read_rules(const FieldAt& at, std::vector<IngressRule>& out) {
  if (auto checked = check_list(at); !checked.ok()) return checked;
  for (std::size_t i = 0; i < at.json.items().size(); ++i) {
    const FieldAt rule = at.item(i);
    IngressRule& into = out.emplace_back();
    if (auto read = read_host(rule.child("host"), into.host); !read.ok()) return read;
    const FieldAt paths = rule.child("http").child("paths");
    if (auto checked = check_list(paths); !checked.ok()) return checked;
    for (std::size_t p = 0; p < paths.json.items().size(); ++p)
      if (auto read = read_path(paths.item(p), into.paths.emplace_back()); !read.ok()) return read;
  }
  return {};
}

base::Result<void> read_tls(const FieldAt& at, std::vector<IngressTls>& out) {
  if (auto checked = check_list(at); !checked.ok()) return checked;
  for (std::size_t i = 0; i < at.json.items().size(); ++i) {
    const FieldAt tls = at.item(i);
    IngressTls& into = out.emplace_back();
    if (auto read = read_string(tls.child("secretName"), into.secret_name); !read.ok()) return read;
    const FieldAt hosts = tls.child("hosts");
    if (auto checked = check_list(hosts); !checked.ok()) return checked;
    for (std::size_t h = 0; h < hosts.json.items().size(); ++h) {
      std::string& host = into.hosts.emplace_back();
      if (auto read = read_host(hosts.item(h), host); !read.ok()) return read;
      if (host.empty()) return hosts.item(h).wrong(kHostForm);
    }
  }
  return {};
}

base::Result<void> read_spec(const FieldAt& at, Ingress& out) {
  if (!at.json.is_object()) return at.wrong("an object");
  if (!at.json["ingressClassName"].is_null()) {
    if (auto read = read_string(at.child("ingressClassName"), out.class_name.emplace()); !read.ok())
      return read;
  }
  if (!at.json["defaultBackend"].is_null()) {
    auto read = read_backend(at.child("defaultBackend"), out.default_backend.emplace());
    if (!read.ok()) return read;
  }
  if (auto read = read_rules(at.child("rules"), out.rules); !read.ok()) return read;
  if (out.rules.empty() && !out.default_backend)
    return at.child("rules").wrong("a list of rules, unless spec.defaultBackend is set");
  return read_tls(at.child("tls"), out.tls);
}

}  // namespace

base::Result<ObjectPtr> parse_ingress(const base::Json& item) {
  auto out = std::make_shared<Ingress>();
  if (auto read = read_metadata(item, Kind::kIngress, *out); !read.ok())
    return std::move(read).error();
  if (auto read = read_spec({out->key, item["spec"], "spec"}, *out); !read.ok())
    return std::move(read).error();
  out->status = read_addresses(item);
  return ObjectPtr(std::move(out));
}

}  // namespace weir::store
