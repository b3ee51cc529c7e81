#include "dataplane/dashboard/ask.h"

#include "common/base/text.h"
#include "common/routing/described.h"
#include "common/routing/query.h"
#include "dataplane/dashboard/words.h"
#include "dataplane/exchange/route_plan.h"

namespace weir::dashboard {
namespace {

using base::Json;

struct Question {
  std::string method, host, target;
  bool https = false;
  routing::DescribedFields::Headers headers;
};

// Empty, or what is wrong.
std::string read_url(std::string_view url, Question& out) {
  const std::size_t scheme = url.find("://");
  const std::string_view name = scheme == std::string_view::npos ? "" : url.substr(0, scheme);
  if (name != "http" && name != "https") return "the URL must begin with http:// or https://";
  out.https = name == "https";
  const std::string_view rest = url.substr(scheme + 3);
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  out.host = rest.substr(0, end);
  out.target = end == rest.size() ? "/" : std::string(rest.substr(end));
  if (out.target.front() == '?') out.target.insert(0, 1, '/');
  return out.host.empty() ? "the URL has no host" : "";
}

std::string read_headers(std::string_view text, Question& out) {
  for (const std::string_view line : base::split(text, '\n')) {
    if (base::trim(line).empty()) continue;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0)
      return "a header is 'Name: value', not '" + std::string(line) + "'";
    std::string name = base::to_lower(base::trim(line.substr(0, colon)));
    std::string value(base::trim(line.substr(colon + 1)));
    if (name == "host") out.host = value;
    out.headers.emplace_back(std::move(name), std::move(value));
  }
  return "";
}

std::string verdict(routing::Outcome outcome) {
  if (outcome == routing::Outcome::kMatched) return "A route takes this request.";
  return std::string(routing::text_of(outcome)) + ".";
}

Json candidate_entry(const routing::Candidate& candidate) {
  const model::Route& route = *candidate.route;
  Json out = Json::object();
  out.set("won", candidate.won);
  out.set("kind", kind_of(route.match.path));
  out.set("path", route.match.path.value);
  out.set("owner", owner_of(route.provenance));
  out.set("field", route.provenance.field_path);
  out.set("reason", candidate.reason);
  return out;
}

Json backend_entry(const exchange::Snapshot& snapshot, const exchange::BackendPlan& backend) {
  Json out = Json::object();
  out.set("cluster", backend.cluster);
  out.set("weight", static_cast<std::int64_t>(backend.weight));
  if (backend.invalid) out.set("trouble", "answers 500: " + backend.reason);
  Json endpoints = Json::array();
  const upstream::Cluster* cluster = snapshot.clusters.find(backend.cluster);
  for (const upstream::Endpoint& endpoint :
       cluster == nullptr ? std::vector<upstream::Endpoint>() : cluster->endpoints) {
    Json one = Json::object();
    one.set("address", endpoint.id);
    one.set("state", state_of(endpoint));
    endpoints.push(std::move(one));
  }
  if (endpoints.items().empty() && !backend.invalid) out.set("trouble", "no endpoint: answers 503");
  out.set("endpoints", std::move(endpoints));
  return out;
}

void add_winner(const exchange::Snapshot& snapshot, const routing::RouteTable& table,
                const model::Route& won, Json& out) {
  const exchange::RoutePlan* plan = nullptr;
  for (const routing::RouteTargetPtr& target : table.routes()) {
    if (&target->route() == &won) plan = static_cast<const exchange::RoutePlan*>(target.get());
  }
  if (plan == nullptr) return;
  if (!plan->unavailable.empty()) out.set("trouble", "answers 503: " + plan->unavailable);
  if (plan->backends.empty() && plan->unavailable.empty())
    out.set("trouble", "answers " + std::to_string(won.fixed_status) + " by itself");
  Json policies = Json::array();
  for (const std::string& key : won.policies) policies.push(key.substr(0, key.find('/')));
  out.set("policies", std::move(policies));
  Json backends = Json::array();
  for (const exchange::BackendPlan& backend : plan->backends)
    backends.push(backend_entry(snapshot, backend));
  out.set("backends", std::move(backends));
}

const model::Listener* listener_of(const exchange::Snapshot& snapshot, bool https) {
  const auto wanted = https ? model::ListenerProtocol::kHttps : model::ListenerProtocol::kHttp;
  const model::Listener* found = nullptr;
  snapshot.listeners.for_each([&](std::string_view, const model::Listener& listener) {
    if (listener.protocol == wanted && (found == nullptr || listener.name < found->name))
      found = &listener;
  });
  return found;
}

Json failed(const std::string& text) {
  Json out = Json::object();
  out.set("error", text);
  return out;
}

}  // namespace

std::string parameter(std::string_view query, std::string_view name) {
  const auto found = routing::query_value(query, name);
  return found ? routing::decode_query(*found) : "";
}

Json ask(const exchange::Snapshot& snapshot, std::string_view query) {
  Question question;
  question.method = parameter(query, "method");
  if (question.method.empty()) question.method = "GET";
  std::string wrong = read_url(parameter(query, "url"), question);
  if (wrong.empty()) wrong = read_headers(parameter(query, "header"), question);
  if (!wrong.empty()) return failed(wrong);
  const model::Listener* listener = listener_of(snapshot, question.https);
  if (listener == nullptr)
    return failed(std::string("nothing listens for ") + (question.https ? "https" : "http"));
  const routing::RouteTable* table = snapshot.tables.find(listener->route_table);
  Json out = Json::object();
  out.set("listener", listener->name);
  const routing::DescribedFields fields(question.headers);
  const routing::Explanation why =
      table == nullptr ? routing::Explanation()
                       : table->explain({question.host, question.target, question.method, &fields});
  out.set("verdict", verdict(why.outcome));
  out.set("host_entry", why.host);
  out.set("normal_path", why.normal_path);
  if (question.https && table != nullptr) {
    const auto* names = table->certificates(question.host);
    out.set("certificates",
            base::encode(names != nullptr && !names->empty() ? *names
                                                             : listener->default_certificates));
  }
  Json candidates = Json::array();
  for (const routing::Candidate& candidate : why.candidates) {
    candidates.push(candidate_entry(candidate));
    if (candidate.won) add_winner(snapshot, *table, *candidate.route, out);
  }
  out.set("candidates", std::move(candidates));
  return out;
}

}  // namespace weir::dashboard
