#include <algorithm>
#include <set>

#include "common/routing/route_table.h"
#include "common/routing/table_state.h"

namespace weir::routing {
namespace {

using model::PathKind;

// Routes of the host whose path does not take the request: listed for the reader, up to this many.
constexpr std::size_t kMostOthers = 100;

std::string in_quotes(std::string_view text) { return "'" + std::string(text) + "'"; }

std::string path_reason(const model::PathMatch& match, bool takes, std::string_view path) {
  const std::string value = in_quotes(match.value);
  const std::string verb = takes ? " takes " : " does not take ";
  switch (match.kind) {
    case PathKind::kPrefix:
      return "path prefix " + value + verb + in_quotes(path);
    case PathKind::kExact:
      return "exact path " + value + verb + in_quotes(path);
    case PathKind::kRegex:
      return "regular expression " + value + verb + in_quotes(path);
  }
  return "";
}

std::string value_reason(std::string_view what, const CompiledValue& want) {
  return std::string(what) + " " + in_quotes(want.name) + " is absent or not " +
         (want.pattern ? "matched by " : "") + in_quotes(want.value);
}

std::string mismatch_reason(const CompiledRoute& route, Mismatch mismatch,
                            std::string_view method) {
  switch (mismatch.kind) {
    case Mismatch::Kind::kMethod:
      return "method " + in_quotes(method) + " is not " + in_quotes(route.route().match.method);
    case Mismatch::Kind::kHeader:
      return value_reason("header", route.headers()[mismatch.position]);
    case Mismatch::Kind::kQuery:
      return value_reason("query parameter", route.query()[mismatch.position]);
    case Mismatch::Kind::kNone:
      break;
  }
  return "";
}

// Why a route that takes the request too comes after the winner.
std::string lost_reason(const model::Route& winner, const model::Route& loser) {
  const std::string by = "route " + in_quotes(winner.id);
  if (!(winner.match.path == loser.match.path) ||
      winner.match.method.empty() != loser.match.method.empty() ||
      winner.match.headers.size() != loser.match.headers.size() ||
      winner.match.query.size() != loser.match.query.size()) {
    return by + " is more specific and took it first";
  }
  if (winner.precedence.created != loser.precedence.created) {
    return "older " + by + " took it first";
  }
  if (winner.precedence.owner != loser.precedence.owner) {
    return "equally old " + by + " of " + in_quotes(winner.precedence.owner) +
           ", first in the alphabet, took it first";
  }
  return by + ", earlier in the same object, took it first";
}

// Matches like RouteTable::find but goes on after the winner and writes down why.
class Explainer {
 public:
  Explainer(const SplitRequest& request, Explanation& out) : request_(request), out_(out) {}

  bool visit_host(const HostBlock& block, std::string_view path) {
    out_.host = block.host().name;
    block.walk(path, [&](const WalkedRoute& met) {
      if (seen_.insert(&met.route->route()).second) consider(*met.route, path);
      return false;
    });
    add_others(block, path);
    return winner_ != nullptr;
  }
  const RouteTarget* winner() const { return winner_; }

 private:
  void consider(const CompiledRoute& route, std::string_view path) {
    Candidate candidate;
    candidate.route = &route.route();
    const Mismatch mismatch = route.check(request_.conditions);
    if (mismatch.kind != Mismatch::Kind::kNone) {
      candidate.reason = mismatch_reason(route, mismatch, request_.conditions.method);
    } else if (winner_ == nullptr) {
      winner_ = &route.target();
      candidate.won = true;
      candidate.reason = path_reason(route.route().match.path, true, path);
    } else {
      candidate.reason = lost_reason(winner_->route(), route.route());
    }
    out_.candidates.push_back(std::move(candidate));
  }

  void add_others(const HostBlock& block, std::string_view path) {
    std::vector<const model::Route*> others;
    block.for_each([&](const CompiledRoute& route) {
      if (!seen_.contains(&route.route())) others.push_back(&route.route());
    });
    std::sort(others.begin(), others.end(),
              [](const model::Route* a, const model::Route* b) { return a->id < b->id; });
    if (others.size() > kMostOthers) others.resize(kMostOthers);
    for (const model::Route* route : others) {
      out_.candidates.push_back({route, false, path_reason(route->match.path, false, path)});
    }
  }

  const SplitRequest& request_;
  Explanation& out_;
  const RouteTarget* winner_ = nullptr;
  std::set<const model::Route*> seen_;
};

}  // namespace

Explanation RouteTable::explain(const RequestKey& request) const {
  Explanation out;
  const SplitRequest split(request);
  out.normal_path = normal_path(split.path).value_or("");
  const auto match_first = [&](std::string_view path) {
    Explainer explainer(split, out);
    Decision decision;
    decision.outcome = state_->match(
        split, [&](const HostBlock& block) { return explainer.visit_host(block, path); });
    decision.target = explainer.winner();
    return decision;
  };
  const auto on_conflict = [&out](std::string_view path, const Decision& other) {
    for (Candidate& candidate : out.candidates) {
      if (!candidate.won) continue;
      candidate.won = false;
      candidate.reason += " only as the path is written; an origin may read " + in_quotes(path);
    }
    if (other.target == nullptr) return;
    out.candidates.push_back({&other.target->route(), false,
                              "takes the path where an origin reads it as " + in_quotes(path)});
  };
  out.outcome = state_->decide(split, match_first, on_conflict).outcome;
  return out;
}

}  // namespace weir::routing
