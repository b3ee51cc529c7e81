#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/fields.h"
#include "common/model/backend.h"
#include "common/model/balancing.h"
#include "common/model/client_tls.h"
#include "common/model/retry.h"
#include "common/model/stream.h"

namespace weir::model {

using base::field;

// One host of a route table. name: "shop.example.test", "*.example.test", or "*" for requests that
// no other host takes. Lower case, no port, no trailing dot. A host without routes is legal (it
// only chooses a certificate).
struct Host {
  std::string table;
  std::string name;
  bool any_depth = false;  // wildcard: true covers any number of labels (Gateway API), false
                           // exactly one (Ingress)
  bool fall_through =
      false;  // true: a path that no route takes is tried on the next less specific host
  std::vector<std::string> certificates;  // SNI choice for this name; empty: the next less specific
                                          // host's, at last the default
  base::Boxed<ClientTls> client_tls;      // of handshakes for this name; none: nothing is asked
  base::Boxed<StreamRule> passthrough;    // with backends: a TLS client that names this host is
                                        // passed on to them as it is, and never terminated here
  bool operator==(const Host&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("table", &Host::table), field("name", &Host::name),
              field("any_depth", &Host::any_depth), field("fall_through", &Host::fall_through),
              field("certificates", &Host::certificates), field("client_tls", &Host::client_tls),
              field("passthrough", &Host::passthrough));
  }
};

enum class PathKind : std::uint8_t { kPrefix, kExact, kRegex };
inline base::EnumNames enum_names(PathKind) { return {"prefix", "exact", "regex"}; }

// kPrefix compares whole segments ("/foo" takes /foo, /foo/ and /foo/bar, not /foobar); kExact
// bytes; kRegex is RE2, anchored at the start only.
struct PathMatch {
  PathKind kind = PathKind::kPrefix;
  std::string value = "/";
  bool ignore_case = false;  // only for kRegex
  bool operator==(const PathMatch&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("kind", &PathMatch::kind), field("value", &PathMatch::value),
              field("ignore_case", &PathMatch::ignore_case));
  }
};

enum class ValueKind : std::uint8_t { kExact, kRegex };
inline base::EnumNames enum_names(ValueKind) { return {"exact", "regex"}; }

// A condition on one header (name without case) or one query parameter (name with case; the first
// occurrence counts).
struct ValueMatch {
  std::string name;
  ValueKind kind = ValueKind::kExact;
  std::string value;  // kRegex must match the whole value
  bool operator==(const ValueMatch&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("name", &ValueMatch::name), field("kind", &ValueMatch::kind),
              field("value", &ValueMatch::value));
  }
};

struct RouteMatch {
  PathMatch path;
  std::string method;  // empty: any
  std::vector<ValueMatch> headers;
  std::vector<ValueMatch> query;
  bool operator==(const RouteMatch&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("path", &RouteMatch::path), field("method", &RouteMatch::method),
              field("headers", &RouteMatch::headers), field("query", &RouteMatch::query));
  }
};

// Which of two routes with equal matches wins: the older, then the lower owner ("namespace/name"),
// then the lower order.
struct Precedence {
  std::int64_t created = 0;  // seconds since the epoch; 0: unknown, counts as equally old
  std::string owner;
  std::uint32_t order = 0;
  bool operator==(const Precedence&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("created", &Precedence::created), field("owner", &Precedence::owner),
              field("order", &Precedence::order));
  }
};

// 0 means none. read: longest gap between bytes from the upstream (also of a tunnel); send: between
// bytes it takes from us; request: head received to response complete.
struct RouteTimeouts {
  std::chrono::milliseconds read{60'000};
  std::chrono::milliseconds send{60'000};
  std::chrono::milliseconds request{0};
  bool operator==(const RouteTimeouts&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("read_ms", &RouteTimeouts::read), field("send_ms", &RouteTimeouts::send),
              field("request_ms", &RouteTimeouts::request));
  }
};

// Labels of metrics and access log.
struct RouteLabels {
  std::string ns;
  std::string ingress;  // name of the owner
  std::string service;
  std::string path;
  bool operator==(const RouteLabels&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("namespace", &RouteLabels::ns), field("ingress", &RouteLabels::ingress),
              field("service", &RouteLabels::service), field("path", &RouteLabels::path));
  }
};

// Which field of which object made this route: "Ingress", "shop", "cart",
// "spec.rules[0].http.paths[1]".
struct Provenance {
  std::string kind;
  std::string ns;
  std::string name;
  std::string field_path;
  bool operator==(const Provenance&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("kind", &Provenance::kind), field("namespace", &Provenance::ns),
              field("name", &Provenance::name), field("field", &Provenance::field_path));
  }
};

// One rule of one host. The resource's key is "table/host/id" (neither table nor host has a '/').
struct Route {
  std::string table;
  std::string host;
  std::string id;  // unique in the host, stable over edits that do not change who the route is
  RouteMatch match;
  Precedence precedence;
  std::vector<WeightedBackend> backends;  // empty: answers fixed_status
  std::uint16_t fixed_status = 404;       // for a route without backends, and when denied
  std::string
      deny_reason;  // not empty: answers 503 always (a broken security setting fails closed)
  std::vector<std::string> policies;  // keys of policy resources: "stem/hash"
  RouteTimeouts timeouts;
  RetryRule retry;
  std::string hash_on;  // template of the key by which clusters with a hash place its requests
                        // (model/key_template.h); empty: none
  base::Boxed<SessionCookie> cookie;  // instead: the key is in this cookie; few routes have one
  RouteLabels labels;
  Provenance provenance;
  bool operator==(const Route&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("table", &Route::table), field("host", &Route::host), field("id", &Route::id),
              field("match", &Route::match), field("precedence", &Route::precedence),
              field("backends", &Route::backends), field("fixed_status", &Route::fixed_status),
              field("deny_reason", &Route::deny_reason), field("policies", &Route::policies),
              field("timeouts", &Route::timeouts), field("retry", &Route::retry),
              field("hash_on", &Route::hash_on), field("cookie", &Route::cookie),
              field("labels", &Route::labels), field("provenance", &Route::provenance));
  }
};

}  // namespace weir::model
