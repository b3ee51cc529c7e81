#include "common/base/text.h"
#include "weirctl/explain.h"

namespace weir::weirctl {
namespace {

using base::Json;

std::string words(const Json& list, std::string_view separator = ", ") {
  std::vector<std::string> out;
  for (const Json& one : list.items()) out.push_back(one.as_string());
  return base::join(out, separator);
}

std::string origin(const Json& from) {
  return from["kind"].as_string() + " " + from["namespace"].as_string() + "/" +
         from["name"].as_string() + " " + from["field"].as_string();
}

std::string match_text(const Json& match) {
  std::string out =
      match.at_path("path", "kind").as_string() + " " + match.at_path("path", "value").as_string();
  if (!match["method"].as_string().empty()) out += ", method " + match["method"].as_string();
  for (const Json& one : match["headers"].items())
    out += ", header " + one["name"].as_string() + " = " + one["value"].as_string();
  for (const Json& one : match["query"].items())
    out += ", query " + one["name"].as_string() + " = " + one["value"].as_string();
  return out;
}

void add_listener(const Json& explanation, std::string& out) {
  const Json& listener = explanation["listener"];
  if (listener["name"].as_string().empty()) {
    out += "listener: none: " + listener["reason"].as_string() + "\n";
    return;
  }
  out += "listener: " + listener["name"].as_string() + " on " + words(listener["binds"]) + ": " +
         listener["reason"].as_string() + "\n";
}

void add_tls(const Json& tls, std::string& out) {
  if (tls.is_null()) return;
  if (tls.has("passed_through_to")) {
    out += "tls: not ended here, passed through to " + tls["passed_through_to"].as_string() +
           "; what follows is not asked\n";
    return;
  }
  for (const Json& one : tls["certificates"].items()) {
    out += "certificate: " + one["name"].as_string();
    out += one["missing"].as_bool()
               ? " (not there)"
               : " for " + words(one["names"]) + ", until " + one["not_after"].as_string();
    out += ": " + tls["chosen_by"].as_string() + "\n";
  }
  if (const Json& client = tls["client_certificate"]; !client.is_null())
    out += "client certificate: " + client["mode"].as_string() + ", by " +
           client["trust"].as_string() + "\n";
}

void add_endpoints(const Json& backend, std::string& out) {
  for (const Json& one : backend["endpoints"].items()) {
    out += "    " + one["id"].as_string();
    if (one.has("healthy")) out += one["healthy"].as_bool() ? ", healthy" : ", UNHEALTHY";
    if (one["ejected"].as_bool()) out += ", EJECTED";
    if (!one["zone"].as_string().empty()) out += ", zone " + one["zone"].as_string();
    if (one.has("from")) out += "  [" + one["from"].as_string() + "]";
    out += "\n";
  }
}

void add_backend(const Json& backend, std::string& out) {
  out += "  backend " + backend["cluster"].as_string() + " weight " +
         std::to_string(backend["weight"].as_int());
  if (!backend["service"].as_string().empty())
    out += "  [Service " + backend["service"].as_string() + " port " + backend["port"].as_string() +
           "]";
  if (!backend["reason"].as_string().empty()) {
    out += ": answers 500: " + backend["reason"].as_string() + "\n";
    return;
  }
  if (backend.has("answers")) out += ": no endpoint, answers 503";
  out += "\n";
  if (!backend["settings"].members().empty())
    out += "    settings " + backend["settings"].to_string() + "\n";
  add_endpoints(backend, out);
}

void add_route(const Json& route, std::string& out) {
  if (route.has("answers")) {
    out += "  answers " + std::to_string(route["answers"].as_int());
    if (!route["reason"].as_string().empty()) out += ": " + route["reason"].as_string();
    out += "\n";
    if (route["answers"].as_int() == 503) return;
  }
  for (const Json& policy : route["policies"].items()) {
    out += "  policy " + policy["policy"].as_string();
    if (policy.has("settings")) out += " " + policy["settings"].to_string();
    if (policy.has("from")) {
      const std::string from = words(policy["from"]);
      out += "  [" + (from.empty() ? "the controller's default" : from) + "]";
    }
    out += "\n";
  }
  for (const char* part : {"timeouts", "retry", "cookie"}) {
    if (!route[part].members().empty())
      out += "  " + std::string(part) + " " + route[part].to_string() + "\n";
  }
  if (!route["hash_on"].as_string().empty())
    out += "  hash on " + route["hash_on"].as_string() + "\n";
  for (const Json& backend : route["backends"].items()) add_backend(backend, out);
}

}  // namespace

std::string explain_text(const Json& explanation) {
  const Json& request = explanation["request"];
  std::string out = request["method"].as_string() + " " + request["host"].as_string() +
                    request["target"].as_string() + "\n" + explanation["text"].as_string() + "\n";
  const Json& source = explanation["source"];
  if (!source["name"].as_string().empty())
    out += "asked: " + source["name"].as_string() + " (" + source["reason"].as_string() + ")\n";
  add_listener(explanation, out);
  add_tls(explanation["tls"], out);
  if (!explanation["host_entry"].as_string().empty())
    out += "host entry: " + explanation["host_entry"].as_string() + "\n";
  if (explanation.has("normal_path"))
    out += "path as compared: " + explanation["normal_path"].as_string() + "\n";
  for (const Json& candidate : explanation["candidates"].items()) {
    const bool won = candidate["won"].as_bool();
    out += (won ? "TAKES IT  " : "not       ") + match_text(candidate["match"]) + "  [" +
           origin(candidate["from"]) + "]";
    if (!candidate["reason"].as_string().empty()) out += ": " + candidate["reason"].as_string();
    out += "\n";
    if (won) add_route(explanation["route"], out);
  }
  for (const Json& report : explanation["reports"].items())
    out += "reported: " + report["object"].as_string() + " " + report["field"].as_string() + ": " +
           report["text"].as_string() + "\n";
  for (const auto& [where, text] : explanation["not_seen"].members())
    out += "not seen: " + where + ": " + text.as_string() + "\n";
  return out;
}

}  // namespace weir::weirctl
