#include "weirctl/explain.h"

#include "common/base/text.h"
#include "common/routing/described.h"

namespace weir::weirctl {
namespace {

using base::Json;

std::string_view outcome_name(routing::Outcome outcome) {
  switch (outcome) {
    case routing::Outcome::kMatched:
      return "matched";
    case routing::Outcome::kNoHost:
      return "no_host";
    case routing::Outcome::kNoRoute:
      return "no_route";
    case routing::Outcome::kBadPath:
      return "bad_path";
    case routing::Outcome::kTwoReadings:
      return "two_readings";
  }
  return "";
}

bool has_port(const model::Listener& listener, std::uint16_t port) {
  if (listener.public_port == port) return true;
  for (const model::Bind& bind : listener.binds) {
    if (bind.port == port) return true;
  }
  return false;
}

// Which listener clients of the URL reach: the one of its port, else one of its scheme.
const model::Listener* listener_of(const Configuration& configuration, const Question& question,
                                   std::string& why) {
  const auto wanted =
      question.https ? model::ListenerProtocol::kHttps : model::ListenerProtocol::kHttp;
  const std::string_view scheme = question.https ? "https" : "http";
  const model::Listener* other = nullptr;
  for (const auto& [name, listener] : configuration.listeners) {
    if (listener.protocol != wanted) continue;
    if (has_port(listener, question.port)) {
      why = "takes " + std::string(scheme) + " at port " + std::to_string(question.port);
      return &listener;
    }
    other = &listener;
  }
  why = other == nullptr
            ? "nothing listens for " + std::string(scheme)
            : "the one for " + std::string(scheme) + "; port " + std::to_string(question.port) +
                  " is none of its own, a Service must map it";
  return other;
}

Json describe_certificate(const Configuration& configuration, const std::string& name) {
  Json out = Json::object();
  out.set("name", name);
  const auto found = configuration.certificates.find(name);
  if (found == configuration.certificates.end()) {
    out.set("missing", true);
    return out;
  }
  out.set("names", found->second["names"]);
  const std::int64_t end = found->second["not_after"].as_int();
  out.set("not_after", base::format_rfc3339(end));
  return out;
}

Json describe_tls(const Configuration& configuration, const model::Listener& listener,
                  const Question& question) {
  Json out = Json::object();
  out.set("server_name", question.server_name);
  const auto table = configuration.tables.find(listener.route_table);
  if (table == configuration.tables.end()) return out;
  if (const model::StreamRule* rule = table->second.passthrough(question.server_name)) {
    out.set("passed_through_to", rule->backends.empty() ? "" : rule->backends.front().cluster);
    return out;
  }
  const auto* const names = table->second.certificates(question.server_name);
  const bool fits = names != nullptr && !names->empty();
  out.set("chosen_by", fits ? "tls of the host" : "default: no host names a certificate");
  Json list = Json::array();
  for (const std::string& name : fits ? *names : listener.default_certificates)
    list.push(describe_certificate(configuration, name));
  out.set("certificates", std::move(list));
  const model::Host* const host = table->second.serving(question.server_name);
  if (host != nullptr && host->client_tls &&
      host->client_tls->mode != model::ClientCertificateMode::kOff)
    out.set("client_certificate", base::encode(*host->client_tls));
  return out;
}

Json describe_listener(const model::Listener* listener, const std::string& why) {
  Json out = Json::object();
  if (listener != nullptr) {
    out = base::encode(*listener);
    Json binds = Json::array();
    for (const model::Bind& bind : listener->binds) {
      const bool v6 = bind.address.find(':') != std::string::npos;
      binds.push((v6 ? "[" + bind.address + "]" : bind.address) + ":" + std::to_string(bind.port));
    }
    out.set("binds", std::move(binds));
  }
  out.set("reason", why);
  return out;
}

// Which annotations of the Ingress a policy comes from; empty: the controller's default.
Json annotations_behind(const Configuration& configuration, const model::Route& route,
                        std::string_view stem) {
  Json out = Json::array();
  const auto found =
      configuration.annotations.find(route.provenance.ns + "/" + route.provenance.name);
  if (found == configuration.annotations.end()) return out;
  for (const annotations::Feature* feature : annotations::features()) {
    if (feature->stem != stem) continue;
    for (const annotations::Row& row : feature->rows) {
      for (const std::string& key : found->second) {
        if (key.substr(key.find('/') + 1) == row.key) out.push("metadata.annotations[" + key + "]");
      }
    }
  }
  return out;
}

Json describe_policy(const Configuration& configuration, const model::Route& route,
                     const std::string& key) {
  Json out = Json::object();
  const std::string stem = key.substr(0, key.find('/'));
  out.set("policy", stem);
  const auto settings = configuration.policies.find(key);
  if (settings != configuration.policies.end()) {
    out.set("settings", settings->second);
    out.set("from", annotations_behind(configuration, route, stem));
  }
  return out;
}

Json describe_backend(const Configuration& configuration, const model::WeightedBackend& backend) {
  Json out = Json::object();
  out.set("cluster", backend.cluster);
  out.set("weight", static_cast<std::int64_t>(backend.weight));
  if (backend.invalid) {
    out.set("answers", 500);
    out.set("reason", backend.reason);
    return out;
  }
  const auto cluster = configuration.clusters.find(backend.cluster);
  if (cluster != configuration.clusters.end()) {
    out.set("service", cluster->second["namespace"].as_string() + "/" +
                           cluster->second["service"].as_string());
    out.set("port", cluster->second["port"]);
    Json settings = cluster->second;
    for (const char* known : {"name", "namespace", "service", "port"}) settings.erase(known);
    if (!settings.members().empty()) out.set("settings", std::move(settings));
  }
  const auto found = configuration.endpoints.find(backend.cluster);
  const bool none = found == configuration.endpoints.end() || found->second.items().empty();
  if (none) out.set("answers", 503);
  out.set("endpoints", none ? Json::array() : found->second);
  return out;
}

Json describe_route(const Configuration& configuration, const model::Route& route) {
  Json out = Json::object();
  const auto denied = configuration.unavailable.find(route.host + "/" + route.id);
  if (denied != configuration.unavailable.end()) {
    out.set("answers", 503);
    out.set("reason", denied->second);
  } else if (route.backends.empty()) {
    out.set("answers", route.fixed_status);
  }
  Json policies = Json::array();
  for (const std::string& key : route.policies)
    policies.push(describe_policy(configuration, route, key));
  out.set("policies", std::move(policies));
  out.set("timeouts", base::encode(route.timeouts));
  out.set("retry", base::encode(route.retry));
  if (!route.hash_on.empty()) out.set("hash_on", route.hash_on);
  if (route.cookie) out.set("cookie", base::encode(*route.cookie));
  Json backends = Json::array();
  for (const model::WeightedBackend& backend : route.backends)
    backends.push(describe_backend(configuration, backend));
  out.set("backends", std::move(backends));
  return out;
}

Json describe_candidate(const routing::Candidate& candidate) {
  Json out = Json::object();
  const model::Route& route = *candidate.route;
  out.set("won", candidate.won);
  out.set("reason", candidate.reason);
  out.set("host", route.host);
  out.set("id", route.id);
  Json match = base::encode(route.match);
  // Of the match all is said: the reader need not know its defaults.
  Json path = Json::object();
  const auto kind = static_cast<std::size_t>(route.match.path.kind);
  path.set("kind", enum_names(route.match.path.kind)[kind]);
  path.set("value", route.match.path.value);
  match.set("path", std::move(path));
  out.set("match", std::move(match));
  Json from = base::encode(route.provenance);
  out.set("from", std::move(from));
  return out;
}

Json reports_about(const Configuration& configuration, const model::Route& route) {
  Json out = Json::array();
  for (const translate::Report& report : configuration.reports) {
    if (report.object.ns != route.provenance.ns || report.object.name != route.provenance.name)
      continue;
    Json one = Json::object();
    one.set("object", report.object.to_string());
    one.set("reason", report.reason);
    one.set("field", report.field);
    one.set("text", report.text);
    out.push(std::move(one));
  }
  return out;
}

Json describe_request(const Question& question) {
  Json out = Json::object();
  out.set("method", question.method);
  out.set("scheme", question.https ? "https" : "http");
  out.set("port", question.port);
  out.set("host", question.host);
  out.set("target", question.target);
  Json headers = Json::array();
  for (const auto& [name, value] : question.headers) headers.push(name + ": " + value);
  out.set("headers", std::move(headers));
  return out;
}

void decide(const Configuration& configuration, const std::string& table, const Question& question,
            Json& out) {
  const auto found = configuration.tables.find(table);
  if (found == configuration.tables.end()) {
    out.set("outcome", "no_table");
    out.set("text", "404: there is no route table '" + table + "'");
    return;
  }
  const routing::DescribedFields fields(question.headers);
  const routing::Explanation why =
      found->second.explain({question.host, question.target, question.method, &fields});
  out.set("outcome", outcome_name(why.outcome));
  out.set("text", routing::text_of(why.outcome));
  out.set("host_entry", why.host);
  out.set("normal_path", why.normal_path);
  Json candidates = Json::array();
  for (const routing::Candidate& candidate : why.candidates) {
    candidates.push(describe_candidate(candidate));
    if (!candidate.won) continue;
    out.set("route", describe_route(configuration, *candidate.route));
    out.set("reports", reports_about(configuration, *candidate.route));
  }
  out.set("candidates", std::move(candidates));
}

// Host and port of "host:port", "[v6]:port" or without a port.
base::Result<void> split_authority(const std::string& url, Question& out) {
  out.server_name = out.host;
  const std::size_t colon = out.host.rfind(':');
  const std::size_t bracket = out.host.rfind(']');
  if (colon == std::string::npos || (bracket != std::string::npos && colon < bracket)) return {};
  const auto port = base::parse_uint(out.host.substr(colon + 1));
  if (!port || *port == 0 || *port > 65'535)
    return base::invalid("'" + url + "': the port is not a number from 1 to 65535");
  out.port = static_cast<std::uint16_t>(*port);
  out.server_name.resize(colon);
  return {};
}

}  // namespace

base::Result<Question> make_question(const std::string& method, const std::string& url,
                                     const std::vector<std::string>& headers) {
  Question out;
  out.method = method;
  const std::size_t scheme = url.find("://");
  if (scheme == std::string::npos ||
      (url.compare(0, scheme, "http") != 0 && url.compare(0, scheme, "https") != 0)) {
    return base::invalid("'" + url +
                         "' is not a URL; accepted: http://HOST[:PORT]/PATH or https://…");
  }
  out.https = scheme == 5;
  out.port = out.https ? 443 : 80;
  const std::size_t host = scheme + 3;
  const std::size_t end = std::min(url.find_first_of("/?", host), url.size());
  out.host = url.substr(host, end - host);
  out.target = end == url.size() ? "/" : url.substr(end);
  if (out.target.front() == '?') out.target.insert(0, 1, '/');
  if (out.host.empty()) return base::invalid("'" + url + "' has no host");
  if (auto split = split_authority(url, out); !split.ok()) return std::move(split).error();
  for (const std::string& header : headers) {
    const std::size_t colon = header.find(':');
    if (colon == std::string::npos || colon == 0)
      return base::invalid("-H '" + header + "': accepted: 'Name: value'");
    std::string name = base::to_lower(header.substr(0, colon));
    std::string value(base::trim(std::string_view(header).substr(colon + 1)));
    if (name == "host") out.host = value;
    out.headers.emplace_back(std::move(name), std::move(value));
  }
  return out;
}

Json explain(const Configuration& configuration, const std::string& table,
             const Question& question) {
  Json out = Json::object();
  out.set("request", describe_request(question));
  Json source = Json::object();
  source.set("name", configuration.source);
  source.set("reason", configuration.why);
  out.set("source", std::move(source));
  std::string why;
  const model::Listener* listener = listener_of(configuration, question, why);
  out.set("listener", describe_listener(listener, why));
  if (question.https && listener != nullptr)
    out.set("tls", describe_tls(configuration, *listener, question));
  std::string chosen = table;
  if (chosen.empty() && listener != nullptr) chosen = listener->route_table;
  if (chosen.empty()) chosen = "main";
  out.set("table", chosen);
  decide(configuration, chosen, question, out);
  Json problems = Json::object();
  for (const auto& [where, text] : configuration.not_seen) problems.set(where, text);
  if (!problems.members().empty()) out.set("not_seen", std::move(problems));
  return out;
}

}  // namespace weir::weirctl
