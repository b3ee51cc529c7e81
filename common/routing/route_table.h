#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/model/route.h"

namespace weir::routing {

// The matching code of Weir: serves traffic in the dataplane and answers explain, plan and conflict
// reports.

class HostBlock;

// What a route points at. The dataplane derives its compiled route from this; explain uses it as it
// is.
class RouteTarget {
 public:
  explicit RouteTarget(model::Route route) : route_(std::move(route)) {}
  virtual ~RouteTarget() = default;
  const model::Route& route() const { return route_; }

 private:
  model::Route route_;
};
using RouteTargetPtr = std::shared_ptr<const RouteTarget>;

// What routing asks of a request beyond host, path and method. Views live as long as the request.
class RequestFields {
 public:
  virtual ~RequestFields() = default;
  // Value of a header, name in lower case; several lines are joined with ", " by the
  // implementation. Null when absent.
  virtual std::optional<std::string_view> header(std::string_view lower_name) const = 0;
};

struct RequestKey {
  std::string_view
      host;  // as the client wrote it, port and trailing dot allowed; compared without case
  std::string_view target;  // origin-form: raw path with optional "?query"
  std::string_view method;
  const RequestFields* fields = nullptr;  // may be null when there are none
};

enum class Outcome : std::uint8_t {
  kMatched,
  kNoHost,      // no host of the table takes this name
  kNoRoute,     // the host has no route for it
  kBadPath,     // no leading '/', NUL, control byte, '#', broken percent escape, overlong UTF-8,
                // escape above the root: 400
  kTwoReadings  // readings of the path that origins may take (path.h) reach different routes: 400
};

struct Decision {
  Outcome outcome = Outcome::kNoHost;
  const RouteTarget* target = nullptr;  // set when kMatched; lives as long as the table
};

// One candidate of an explanation, in the order in which the matcher looked at it.
struct Candidate {
  const model::Route* route = nullptr;
  bool won = false;
  std::string reason;  // "path prefix '/cart' does not take '/car'", "older route took it first", …
};

struct Explanation {
  Outcome outcome = Outcome::kNoHost;
  std::string host;         // the host entry that took the request: "*.example.test"
  std::string normal_path;  // decoded, dots resolved, slashes merged
  std::vector<Candidate> candidates;
};

// An immutable table of hosts and routes with structural sharing: a changed copy costs what the
// change touches (one host bucket and, in a large host, one path bucket), never the size of the
// table. 100,000 hosts cost a request the same as ten; so do 5,000 routes on one host. Any number
// of threads may read.
//
// Order of matching: exact host, then wildcard suffixes from longest to shortest within their depth
// rule, then "*"; a host takes the request for good unless its fall_through is set. Within a host:
// exact path, then prefixes by whole segments from longest to shortest, then regex by length of the
// pattern; among equals method, then more header matches, then more query matches, then Precedence.
// (Gateway API's HTTPRoute, networking.k8s.io/v1) A host without routes takes no request, it only
// chooses a certificate. A request without host goes to "*", one whose host is no host nowhere.
//
// Paths of routes and requests are compared byte by byte, except that escapes of bytes which cannot
// stand raw in a URI ("%20", "%C3%A9") count as those bytes; patterns see the path that way too.
// Query parameters are compared decoded.
class RouteTable {
  struct State;

 public:
  RouteTable();
  RouteTable(const RouteTable&);
  RouteTable& operator=(const RouteTable&);
  ~RouteTable();

  // Each gives a changed copy. Adding a route adds its host when missing; a host goes when it has
  // neither a Host nor a route.
  //   errors: kInvalid when a regular expression does not compile or is too large, or a path does
  //   not begin with '/'; names the route and the value.
  //   cost: one copied host block and a few buckets.
  [[nodiscard]] RouteTable with_host(model::Host host) const;
  [[nodiscard]] RouteTable without_host(std::string_view name) const;
  [[nodiscard]] base::Result<RouteTable> with_route(
      RouteTargetPtr target) const;  // replaces the same (host, id)
  [[nodiscard]] RouteTable without_route(std::string_view host, std::string_view id) const;

  // What find() will read for a host, asked for step by step without waiting: a caller with several
  // requests at hand takes each step for all of them, so that their waits for memory overlap. Only
  // for speed, and only in tables that no cache holds. Lives as long as the table.
  class Ahead {
   public:
    static constexpr unsigned kSteps = 3;
    Ahead() = default;
    void step(unsigned number);  // 0 to kSteps - 1, in this order

   private:
    friend class RouteTable;
    const State* state_ = nullptr;
    const HostBlock* block_ = nullptr;
    std::uint64_t hash_ = 0;
  };
  Ahead ahead(std::string_view host) const;

  // No allocation for a clean path (path.h) in tables without regex conditions.
  Decision find(const RequestKey& request) const;
  // Decides as find does and says why, for people: lists what lost and up to 100 other routes of
  // the host.
  Explanation explain(const RequestKey& request) const;

  // The names of the certificates for a TLS server name (lower case or not): exact host, then
  // wildcards, then none (null).
  const std::vector<std::string>* certificates(std::string_view server_name) const;
  // The host that takes requests for this name (lower case or not; empty: requests without one), or
  // null.
  const model::Host* serving(std::string_view name) const;
  // Whether some host's TLS is passed through: then the server name counts before the handshake.
  bool has_passthrough() const;
  // Where a TLS client that names this server is passed on to, or null: it is terminated here. The
  // most specific host decides, exact before wildcards. Lives as long as the table.
  const model::StreamRule* passthrough(std::string_view server_name) const;
  // The host entry whose name is exactly this, or null.
  const model::Host* host(std::string_view name) const;
  // What the route of this host with this id points at, or null.
  RouteTargetPtr target(std::string_view host, std::string_view id) const;
  std::size_t host_count() const;
  std::size_t route_count() const;
  std::vector<RouteTargetPtr> routes() const;  // all, in no particular order; for dump

 private:
  RouteTable with_block(std::string_view name, std::shared_ptr<const HostBlock> block) const;

  std::shared_ptr<const State> state_;
};

// Lower case, without port and trailing dot; brackets of an IPv6 literal kept. Empty when the text
// cannot be a host.
std::string normal_host(std::string_view host);
// Percent-decoded, "//" merged, then "." and ".." resolved; '%2f' stays encoded (as "%2F"). Empty
// optional on NUL, a broken escape, an escape above the root or no leading '/'.
std::optional<std::string> normal_path(std::string_view raw_path);

// Checks a pattern the way with_route does, so that the controller can refuse it on its object.
// Bounded memory, RE2 syntax.
base::Result<void> check_regex(std::string_view pattern);

}  // namespace weir::routing
