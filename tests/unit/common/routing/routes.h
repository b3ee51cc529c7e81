#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/routing/route_table.h"

namespace weir::routing {

// Short ways to write tables and requests in tests.

class Headers final : public RequestFields {
 public:
  Headers(std::initializer_list<std::pair<const std::string, std::string>> fields)
      : fields_(fields) {}
  std::optional<std::string_view> header(std::string_view lower_name) const override {
    const auto at = fields_.find(std::string(lower_name));
    if (at == fields_.end()) return std::nullopt;
    return at->second;
  }

 private:
  std::map<std::string, std::string> fields_;
};

inline model::Route make_route(std::string host, std::string id, std::string path,
                               model::PathKind kind = model::PathKind::kPrefix) {
  model::Route route;
  route.table = "main";
  route.host = std::move(host);
  route.id = std::move(id);
  route.match.path.value = std::move(path);
  route.match.path.kind = kind;
  return route;
}

inline RouteTargetPtr target_of(model::Route route) {
  return std::make_shared<const RouteTarget>(std::move(route));
}

inline RouteTable add(const RouteTable& table, model::Route route) {
  auto next = table.with_route(target_of(std::move(route)));
  EXPECT_TRUE(next.ok()) << (next.ok() ? "" : next.error().text);
  return next.ok() ? next.value() : table;
}

inline RouteTable add_host(const RouteTable& table, std::string name, bool any_depth = false,
                           bool fall_through = false, std::vector<std::string> certificates = {}) {
  model::Host host;
  host.table = "main";
  host.name = std::move(name);
  host.any_depth = any_depth;
  host.fall_through = fall_through;
  host.certificates = std::move(certificates);
  return table.with_host(std::move(host));
}

inline std::string_view outcome_name(Outcome outcome) {
  switch (outcome) {
    case Outcome::kMatched:
      return "matched";
    case Outcome::kNoHost:
      return "no host";
    case Outcome::kNoRoute:
      return "no route";
    case Outcome::kBadPath:
      return "bad path";
    case Outcome::kTwoReadings:
      return "two readings";
  }
  return "?";
}

// The id of the route that takes the request, else the outcome's name in "<>".
inline std::string ask(const RouteTable& table, std::string_view host, std::string_view target,
                       std::string_view method = "GET", const RequestFields* fields = nullptr) {
  const Decision decision = table.find({host, target, method, fields});
  EXPECT_EQ(decision.target != nullptr, decision.outcome == Outcome::kMatched);
  if (decision.target != nullptr) return decision.target->route().id;
  return "<" + std::string(outcome_name(decision.outcome)) + ">";
}

}  // namespace weir::routing
