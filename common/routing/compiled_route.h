#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/routing/pattern.h"
#include "common/routing/route_table.h"

namespace weir::routing {

// What a request brings to the conditions of a route. Views are borrowed for the call.
struct Conditions {
  std::string_view method;
  std::string_view query;  // without '?'
  const RequestFields* fields = nullptr;
};

// One condition on a header or query parameter, compiled.
struct CompiledValue {
  std::string name;  // of a header: lower case
  std::string value;
  std::optional<Pattern> pattern;  // instead of value
};

// Which condition of a route a request fails; position counts headers or query.
struct Mismatch {
  enum class Kind { kNone, kMethod, kHeader, kQuery };
  Kind kind = Kind::kNone;
  std::size_t position = 0;
};

// A route as the matcher needs it. Immutable; shared by tables.
class CompiledRoute {
  struct Key {};  // so that only compile() makes one

 public:
  CompiledRoute(Key, RouteTargetPtr target) : target_(std::move(target)) {}
  //   errors: kInvalid: a pattern does not compile, a path that does not begin with '/'; names the
  //   route.
  static base::Result<std::shared_ptr<const CompiledRoute>> compile(RouteTargetPtr target);

  const RouteTarget& target() const { return *target_; }
  const RouteTargetPtr& shared_target() const { return target_; }
  // The target when the path is all that the route asks for, else null.
  const RouteTarget* plain_target() const { return unconditional_ ? target_.get() : nullptr; }
  const model::Route& route() const { return target_->route(); }
  std::string_view key() const { return route().id; }

  // Keys of the path indexes: as written and in normal form, so that a request whose readings
  // differ only as those two do still reaches the route. Prefixes without trailing slash. Empty for
  // a regular expression. Made anew by each call.
  std::vector<std::string> path_keys() const;
  bool path_pattern_takes(std::string_view path) const {
    return path_pattern_->takes_start_of(path);
  }

  const std::vector<CompiledValue>& headers() const { return headers_; }
  const std::vector<CompiledValue>& query() const { return query_; }

  // First condition beyond the path that the request fails.
  Mismatch check(const Conditions& request) const;

  // The order among candidates of one host that take the same path: method, more headers, more
  // query conditions, then Precedence, at last the id. Regular expressions: longer patterns first.
  static bool before(const CompiledRoute& a, const CompiledRoute& b);

 private:
  base::Result<void> fill();
  base::Result<void> fill_path();

  RouteTargetPtr target_;
  bool unconditional_ = false;
  std::vector<CompiledValue> headers_;
  std::vector<CompiledValue> query_;
  std::optional<Pattern> path_pattern_;
};
using CompiledRoutePtr = std::shared_ptr<const CompiledRoute>;

}  // namespace weir::routing
