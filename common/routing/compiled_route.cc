#include "common/routing/compiled_route.h"

#include <algorithm>
#include <tuple>

#include "common/base/text.h"
#include "common/routing/path.h"
#include "common/routing/query.h"

namespace weir::routing {
namespace {

using model::PathKind;
using model::ValueKind;

// "/a/" and "/a" are the same prefix, "/" is the empty one.
std::string prefix_key(std::string path) {
  while (path.ends_with('/')) path.pop_back();
  return path;
}

// Two entries of one name: the first counts (Gateway API, HTTPRouteMatch).
base::Result<void> compile_values(const std::vector<model::ValueMatch>& from, bool lower_names,
                                  std::vector<CompiledValue>& out) {
  for (const model::ValueMatch& match : from) {
    CompiledValue value;
    value.name = lower_names ? base::to_lower(match.name) : match.name;
    const bool repeated = std::any_of(out.begin(), out.end(), [&value](const CompiledValue& other) {
      return other.name == value.name;
    });
    if (repeated) continue;
    value.value = match.value;
    if (match.kind == ValueKind::kRegex) {
      auto pattern = Pattern::compile(match.value, false);
      if (!pattern.ok()) return std::move(pattern).error().within("'" + match.name + "'");
      value.pattern.emplace(std::move(pattern).value());
    }
    out.push_back(std::move(value));
  }
  return {};
}

bool header_takes(const CompiledValue& want, std::string_view value) {
  return want.pattern ? want.pattern->takes_whole(value) : want.value == value;
}

bool query_takes(const CompiledValue& want, std::string_view encoded) {
  if (want.pattern) return want.pattern->takes_whole(decode_query(encoded));
  return decodes_to(encoded, want.value);
}

}  // namespace

base::Result<CompiledRoutePtr> CompiledRoute::compile(RouteTargetPtr target) {
  auto out = std::make_shared<CompiledRoute>(Key(), std::move(target));
  if (auto filled = out->fill(); !filled.ok()) {
    return std::move(filled).error().within("route " + out->route().host + "/" + out->route().id);
  }
  return CompiledRoutePtr(std::move(out));
}

base::Result<void> CompiledRoute::fill() {
  if (auto path = fill_path(); !path.ok()) return std::move(path).error().within("match.path");
  const model::RouteMatch& match = route().match;
  if (auto headers = compile_values(match.headers, true, headers_); !headers.ok()) {
    return std::move(headers).error().within("match.headers");
  }
  if (auto query = compile_values(match.query, false, query_); !query.ok()) {
    return std::move(query).error().within("match.query");
  }
  unconditional_ = match.method.empty() && headers_.empty() && query_.empty();
  return {};
}

base::Result<void> CompiledRoute::fill_path() {
  const model::PathMatch& path = route().match.path;
  if (path.kind == PathKind::kRegex) {
    auto pattern = Pattern::compile(path.value, path.ignore_case);
    if (!pattern.ok()) return std::move(pattern).error();
    path_pattern_.emplace(std::move(pattern).value());
    return {};
  }
  const bool everything = path.value.empty() && path.kind == PathKind::kPrefix;
  if (!everything && !path.value.starts_with('/')) {
    return base::invalid("'" + path.value + "' does not begin with '/'");
  }
  return {};
}

std::vector<std::string> CompiledRoute::path_keys() const {
  const model::PathMatch& path = route().match.path;
  if (path.kind == PathKind::kRegex) return {};
  std::vector<std::string> keys{as_written(path.value)};
  if (auto normal = normal_path(path.value)) keys.push_back(std::move(*normal));
  if (path.kind == PathKind::kPrefix) {
    for (std::string& key : keys) key = prefix_key(std::move(key));
  }
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

Mismatch CompiledRoute::check(const Conditions& request) const {
  if (unconditional_) return {};
  const std::string& method = route().match.method;
  if (!method.empty() && method != request.method) return {Mismatch::Kind::kMethod, 0};
  for (std::size_t i = 0; i < headers_.size(); ++i) {
    const auto value =
        request.fields == nullptr ? std::nullopt : request.fields->header(headers_[i].name);
    if (!value || !header_takes(headers_[i], *value)) return {Mismatch::Kind::kHeader, i};
  }
  for (std::size_t i = 0; i < query_.size(); ++i) {
    const auto value = query_value(request.query, query_[i].name);
    if (!value || !query_takes(query_[i], *value)) return {Mismatch::Kind::kQuery, i};
  }
  return {};
}

bool CompiledRoute::before(const CompiledRoute& a, const CompiledRoute& b) {
  const auto rank = [](const CompiledRoute& of) {
    const bool regex = of.path_pattern_.has_value();
    const model::Route& route = of.route();
    const auto fewer = [](std::size_t size) { return -static_cast<std::int64_t>(size); };
    return std::tuple(fewer(regex ? route.match.path.value.size() : 0), route.match.method.empty(),
                      fewer(of.headers_.size()), fewer(of.query_.size()), route.precedence.created,
                      std::string_view(route.precedence.owner), route.precedence.order,
                      std::string_view(route.id));
  };
  return rank(a) < rank(b);
}

}  // namespace weir::routing
