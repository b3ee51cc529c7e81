#include "weirctl/explain.h"

#include "common/base/text.h"

namespace weir::weirctl {
namespace {

class QuestionFields final : public routing::RequestFields {
 public:
  explicit QuestionFields(const Question& question) : question_(question) {}
  std::optional<std::string_view> header(std::string_view lower_name) const override {
    for (const auto& [name, value] : question_.headers) {
      if (name == lower_name) return value;
    }
    return std::nullopt;
  }

 private:
  const Question& question_;
};

std::string outcome_text(routing::Outcome outcome) {
  switch (outcome) {
    case routing::Outcome::kMatched:
      return "matched";
    case routing::Outcome::kNoHost:
      return "404: no host takes this name";
    case routing::Outcome::kNoRoute:
      return "404: the host has no rule for this request";
    case routing::Outcome::kBadPath:
      return "400: the path has a broken escape, a NUL or climbs above the root";
    case routing::Outcome::kTwoReadings:
      return "400: the path can be read in two ways that reach different rules";
  }
  return "?";
}

std::string origin_of(const model::Route& route) {
  const model::Provenance& from = route.provenance;
  return from.kind + " " + from.ns + "/" + from.name + " " + from.field_path;
}

std::string match_text(const model::Route& route) {
  const auto kind = static_cast<std::size_t>(route.match.path.kind);
  std::string out =
      std::string(enum_names(route.match.path.kind)[kind]) + " " + route.match.path.value;
  if (!route.match.method.empty()) out += ", method " + route.match.method;
  for (const model::ValueMatch& match : route.match.headers)
    out += ", header " + match.name + " = " + match.value;
  for (const model::ValueMatch& match : route.match.query)
    out += ", query " + match.name + " = " + match.value;
  return out;
}

void describe_backends(const Configuration& configuration, const model::Route& route,
                       std::string& out) {
  const auto denied = configuration.unavailable.find(route.host + "/" + route.id);
  if (denied != configuration.unavailable.end()) {
    out += "  answers 503: " + denied->second + "\n";
    return;
  }
  if (route.backends.empty()) out += "  answers " + std::to_string(route.fixed_status) + "\n";
  for (const model::WeightedBackend& backend : route.backends) {
    out += "  backend " + backend.cluster + " weight " + std::to_string(backend.weight);
    if (backend.invalid) {
      out += ": answers 500: " + backend.reason + "\n";
      continue;
    }
    const auto found = configuration.endpoints.find(backend.cluster);
    const bool none = found == configuration.endpoints.end() || found->second.empty();
    out += none ? ": no endpoint, answers 503\n" : ": " + base::join(found->second, " ") + "\n";
  }
  for (const std::string& policy : route.policies) out += "  policy " + policy + "\n";
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
  const std::size_t host = scheme + 3;
  const std::size_t end = std::min(url.find_first_of("/?", host), url.size());
  out.host = url.substr(host, end - host);
  out.target = end == url.size() ? "/" : url.substr(end);
  if (out.target.front() == '?') out.target.insert(0, 1, '/');
  if (out.host.empty()) return base::invalid("'" + url + "' has no host");
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

std::string explain(const Configuration& configuration, const std::string& table,
                    const Question& question) {
  const auto found = configuration.tables.find(table);
  if (found == configuration.tables.end()) return "404: there is no route table '" + table + "'\n";
  const QuestionFields fields(question);
  const routing::Explanation why =
      found->second.explain({question.host, question.target, question.method, &fields});
  std::string out = question.method + " " + question.host + question.target + "\n" +
                    outcome_text(why.outcome) + "\n";
  if (!why.host.empty()) out += "host entry: " + why.host + "\n";
  out += "path as compared: " + why.normal_path + "\n";
  for (const routing::Candidate& candidate : why.candidates) {
    out += (candidate.won ? "TAKES IT  " : "not       ") + match_text(*candidate.route) + "  [" +
           origin_of(*candidate.route) + "]";
    if (!candidate.reason.empty()) out += ": " + candidate.reason;
    out += "\n";
    if (candidate.won) describe_backends(configuration, *candidate.route, out);
  }
  return out;
}

}  // namespace weir::weirctl
