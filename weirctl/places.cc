#include "weirctl/places.h"

#include <algorithm>

#include "common/base/text.h"

namespace weir::weirctl {
namespace {

// A request that satisfies the conditions of one route.
class Sample final : public routing::RequestFields {
 public:
  explicit Sample(const model::Route& route) : route_(route) {
    host_ = route.host.starts_with("*.") ? "any" + route.host.substr(1) : route.host;
    if (route.host == "*") host_ = "any.invalid";
    method_ = route.match.method.empty() ? "GET" : route.match.method;
    target_ = route.match.path.value;
    char separator = '?';
    for (const model::ValueMatch& one : route.match.query) {
      target_ += separator + one.name + "=" + one.value;
      separator = '&';
    }
  }
  std::optional<std::string_view> header(std::string_view lower_name) const override {
    for (const model::ValueMatch& one : route_.match.headers) {
      if (base::equals_ignore_case(one.name, lower_name)) return one.value;
    }
    return std::nullopt;
  }
  routing::RequestKey key() const { return {host_, target_, method_, this}; }

 private:
  const model::Route& route_;
  std::string host_, method_, target_;
};

bool has_pattern(const model::RouteMatch& match) {
  const auto regex = [](const model::ValueMatch& one) {
    return one.kind == model::ValueKind::kRegex;
  };
  return match.path.kind == model::PathKind::kRegex ||
         std::any_of(match.headers.begin(), match.headers.end(), regex) ||
         std::any_of(match.query.begin(), match.query.end(), regex);
}

// What a host without a default backend has at its end.
bool only_says_404(const model::Route& route) {
  return route.backends.empty() && route.fixed_status == 404 && route.deny_reason.empty();
}

auto rank(const model::Route& route) {
  return std::tuple(route.precedence.created, std::string_view(route.precedence.owner),
                    route.precedence.order, std::string_view(route.id));
}

void add_values(std::string& out, std::string_view what,
                const std::vector<model::ValueMatch>& values) {
  for (const model::ValueMatch& one : values)
    out += ", " + std::string(what) + " " + one.name +
           (one.kind == model::ValueKind::kRegex ? " ~ " : " = ") + one.value;
}

}  // namespace

std::string place_text(const model::Route& route) {
  const auto kind = static_cast<std::size_t>(route.match.path.kind);
  std::string out = route.host + " " + std::string(enum_names(route.match.path.kind)[kind]) + " " +
                    route.match.path.value;
  if (route.match.path.ignore_case) out += " (without case)";
  if (!route.match.method.empty()) out += ", method " + route.match.method;
  add_values(out, "header", route.match.headers);
  add_values(out, "query", route.match.query);
  return out;
}

std::string owner_of(const model::Route& route) {
  return route.provenance.kind + " " + route.provenance.ns + "/" + route.provenance.name;
}

std::map<std::string, const model::Route*> places_of(const Configuration& configuration) {
  std::map<std::string, const model::Route*> out;
  for (const auto& [name, table] : configuration.tables) {
    for (const routing::RouteTargetPtr& target : table.routes()) {
      const model::Route& route = target->route();
      if (only_says_404(route)) continue;
      const model::Route*& first = out[name + "/" + place_text(route)];
      if (first == nullptr || rank(route) < rank(*first)) first = &route;
    }
  }
  return out;
}

std::optional<const model::Route*> taker_of(const Configuration& configuration,
                                            const model::Route& route) {
  if (has_pattern(route.match)) return std::nullopt;
  const auto table = configuration.tables.find(route.table);
  if (table == configuration.tables.end()) return nullptr;
  const Sample sample(route);
  const routing::Decision decision = table->second.find(sample.key());
  if (decision.target == nullptr || only_says_404(decision.target->route())) return nullptr;
  return &decision.target->route();
}

}  // namespace weir::weirctl
