#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <tuple>

#include "common/routing/route_table.h"
#include "tests/unit/common/routing/routes.h"

namespace weir::routing {
namespace {

using model::PathKind;
using model::ValueKind;

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  std::size_t below(std::size_t n) { return engine_() % n; }
  bool once_in(std::size_t n) { return below(n) == 0; }
  template <typename T>
  const T& pick(const std::vector<T>& from) {
    return from[below(from.size())];
  }

 private:
  std::mt19937 engine_;
};

const std::vector<std::string> kHosts = {"a.test", "b.a.test", "*.a.test", "*.test", "*", "c.test"};
const std::vector<std::string> kRequestHosts = {"a.test", "b.a.test", "x.a.test", "y.x.a.test",
                                                "c.test", "z.test",   "other",    ""};

std::string random_path(Random& random) {
  static const std::vector<std::string> kSegments = {"/a", "/b", "/ab", "/a%20b"};
  std::string out;
  for (std::size_t i = random.below(5); i > 0; --i) out += random.pick(kSegments);
  return out.empty() || random.once_in(4) ? out + "/" : out;
}

model::Route random_route(Random& random, std::size_t ids) {
  static const std::vector<std::string> kPatterns = {"/a", "/a.*b", "/(b|ab)/", "/[ab]+$"};
  const bool regex = random.once_in(6);
  model::Route route = make_route(random.pick(kHosts), "r" + std::to_string(random.below(ids)),
                                  regex ? random.pick(kPatterns) : random_path(random),
                                  regex               ? PathKind::kRegex
                                  : random.once_in(3) ? PathKind::kExact
                                                      : PathKind::kPrefix);
  if (random.once_in(3)) route.match.method = random.once_in(2) ? "GET" : "POST";
  if (random.once_in(4)) route.match.headers = {{"X-A", ValueKind::kExact, "1"}};
  if (random.once_in(6)) route.match.headers.push_back({"x-b", ValueKind::kRegex, "[12]"});
  if (random.once_in(5)) route.match.query = {{"q", ValueKind::kExact, "1"}};
  route.precedence = {static_cast<std::int64_t>(random.below(3)),
                      random.once_in(2) ? "ns/a" : "ns/b",
                      static_cast<std::uint32_t>(random.below(2))};
  return route;
}

model::Host random_host(Random& random) {
  model::Host host;
  host.name = random.pick(kHosts);
  host.any_depth = random.once_in(2);
  host.fall_through = random.once_in(2);
  return host;
}

// The desired state, and the rules of the header written down again as a plain search.
struct Oracle {
  std::map<std::string, model::Host> hosts;
  std::map<std::pair<std::string, std::string>, model::Route> routes;

  static bool covers(const std::string& name, bool any_depth, const std::string& host) {
    if (name == "*") return true;
    if (!name.starts_with("*.")) return name == host;
    const std::string suffix = name.substr(1);
    if (host.size() <= suffix.size() || !host.ends_with(suffix)) return false;
    return any_depth || host.find('.') == host.size() - suffix.size();
  }
  static bool path_takes(const model::Route& route, const std::string& path) {
    const auto plain = [](std::string text) {
      for (std::size_t at; (at = text.find("%20")) != std::string::npos;) text.replace(at, 3, " ");
      return text;
    };
    std::string value = plain(route.match.path.value);
    const std::string text = plain(path);
    if (route.match.path.kind == PathKind::kExact) return value == text;
    if (route.match.path.kind == PathKind::kRegex) {
      const RouteTable one = add(RouteTable(), make_route("*", "x", value, PathKind::kRegex));
      return one.find({"", path, "GET", nullptr}).target != nullptr;
    }
    while (value.ends_with('/')) value.pop_back();
    return text.starts_with(value) && (text.size() == value.size() || text[value.size()] == '/');
  }
  static auto rank(const model::Route& route) {
    const bool regex = route.match.path.kind == PathKind::kRegex;
    std::string value = route.match.path.value;
    for (std::size_t at; (at = value.find("%20")) != std::string::npos;) value.replace(at, 3, " ");
    while (!regex && route.match.path.kind == PathKind::kPrefix && value.ends_with('/')) {
      value.pop_back();
    }
    const int kind = route.match.path.kind == PathKind::kExact ? 0 : regex ? 2 : 1;
    return std::tuple(kind, -static_cast<int>(value.size()), route.match.method.empty(),
                      -static_cast<int>(route.match.headers.size()),
                      -static_cast<int>(route.match.query.size()), route.precedence.created,
                      route.precedence.owner, route.precedence.order, route.id);
  }
  std::string ask(const std::string& host, const std::string& path, const std::string& method,
                  const std::map<std::string, std::string>& headers, bool query) const {
    std::vector<std::string> order = {"a.test", "b.a.test", "c.test", "*.a.test", "*.test", "*"};
    std::string miss = "<no host>";
    for (const std::string& name : order) {
      const auto declared = hosts.find(name);
      const bool any_depth = declared != hosts.end() && declared->second.any_depth;
      if (!covers(name, any_depth, host)) continue;
      std::optional<model::Route> best;
      bool any = false;
      for (const auto& [key, route] : routes) {
        if (key.first != name) continue;
        any = true;
        bool takes = path_takes(route, path) &&
                     (route.match.method.empty() || route.match.method == method) &&
                     (route.match.query.empty() || query);
        for (const auto& header : route.match.headers) {
          const auto at = headers.find(header.name == "X-A" ? "x-a" : header.name);
          takes = takes && at != headers.end() &&
                  (header.kind == ValueKind::kExact ? at->second == "1" : at->second != "3");
        }
        if (takes && (!best || rank(route) < rank(*best))) best = route;
      }
      if (best) return name + "|" + best->id;
      if (any) miss = "<no route>";
      if (any && !(declared != hosts.end() && declared->second.fall_through)) return miss;
    }
    return miss;
  }
};

std::string answer(const RouteTable& table, const RequestKey& request) {
  const Decision decision = table.find(request);
  if (decision.target == nullptr) return "<" + std::string(outcome_name(decision.outcome)) + ">";
  return decision.target->route().host + "|" + decision.target->route().id;
}

void expect_explain_agrees(const RouteTable& table, const RequestKey& request) {
  const Decision decision = table.find(request);
  const Explanation explanation = table.explain(request);
  ASSERT_EQ(decision.outcome, explanation.outcome) << request.host << request.target;
  const model::Route* winner = nullptr;
  std::set<const model::Route*> seen;
  for (const Candidate& candidate : explanation.candidates) {
    EXPECT_FALSE(candidate.reason.empty());
    if (decision.outcome != Outcome::kTwoReadings) {
      EXPECT_TRUE(seen.insert(candidate.route).second) << "listed twice";
    }
    if (!candidate.won) continue;
    EXPECT_EQ(winner, nullptr) << "one winner";
    winner = candidate.route;
  }
  EXPECT_EQ(winner, decision.target == nullptr ? nullptr : &decision.target->route());
}

RouteTable fresh_table(const Oracle& oracle, Random& random) {
  RouteTable table;
  std::vector<model::Route> routes;
  for (const auto& [key, route] : oracle.routes) routes.push_back(route);
  for (std::size_t i = routes.size(); i > 1; --i) std::swap(routes[i - 1], routes[random.below(i)]);
  for (const model::Route& route : routes) table = add(table, route);
  for (const auto& [name, host] : oracle.hosts) table = table.with_host(host);
  return table;
}

RouteTable random_step(RouteTable table, Oracle& oracle, Random& random) {
  if (random.once_in(8)) {
    const model::Host host = random_host(random);
    oracle.hosts[host.name] = host;
    return table.with_host(host);
  }
  if (random.once_in(10)) {
    const std::string name = random.pick(kHosts);
    oracle.hosts.erase(name);
    return table.without_host(name);
  }
  const model::Route route = random_route(random, 40);
  if (random.once_in(3)) {
    oracle.routes.erase({route.host, route.id});
    return table.without_route(route.host, route.id);
  }
  oracle.routes[{route.host, route.id}] = route;
  return add(table, route);
}

TEST(RandomHistories, GiveTheTableOfAFreshBuildAndTheAnswersOfAPlainSearch) {
  for (unsigned seed = 1; seed <= 6; ++seed) {
    Random random(seed);
    RouteTable table;
    Oracle oracle;
    for (int step = 0; step < 400; ++step) table = random_step(table, oracle, random);
    const RouteTable fresh = fresh_table(oracle, random);
    ASSERT_EQ(table.route_count(), oracle.routes.size());
    ASSERT_EQ(table.host_count(), fresh.host_count());
    for (int i = 0; i < 300; ++i) {
      const std::string host = random.pick(kRequestHosts);
      const std::string path = random_path(random);
      const bool query = random.once_in(2);
      const std::string target = path + (query ? "?q=1" : "");
      const std::string method = random.once_in(2) ? "GET" : "POST";
      const std::string a = random.once_in(2) ? "1" : "2";
      const std::string b = random.once_in(2) ? "1" : "3";
      const Headers fields{{"x-a", a}, {"x-b", b}};
      const RequestKey request{host, target, method, &fields};
      const std::string got = answer(table, request);
      ASSERT_EQ(got, answer(fresh, request)) << seed << " " << host << target;
      ASSERT_EQ(got, oracle.ask(host, path, method, {{"x-a", a}, {"x-b", b}}, query))
          << seed << " " << host << " " << target;
      ASSERT_NO_FATAL_FAILURE(expect_explain_agrees(table, request));
    }
  }
}

// How an origin may read a path; every member is one habit seen in the wild.
struct Origin {
  bool cut_params_first, cut_params_later, decodes, decodes_slash, decodes_twice, backslash, merges;
  bool resolves, resolves_before_merge;
};

std::string decode(const std::string& text, bool slash) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string two = text.substr(std::min(i + 1, text.size()), 2);
    char* end = nullptr;
    const long byte = text[i] == '%' && two.size() == 2 ? std::strtol(two.c_str(), &end, 16) : -1;
    if (byte < 0 || *end != '\0' || (byte == '/' && !slash)) {
      out += text[i];
    } else {
      out += static_cast<char>(byte);
      i += 2;
    }
  }
  return out;
}

std::string cut(const std::string& text) {
  std::string out;
  bool skip = false;
  for (const char c : text) {
    skip = c == '/' ? false : skip || c == ';';
    if (!skip) out += c;
  }
  return out;
}

std::string merge(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c != '/' || out.empty() || out.back() != '/') out += c;
  }
  return out;
}

// Clamps at the root, as lenient origins do.
std::string resolve(const std::string& text) {
  std::vector<std::string> parts;
  std::size_t at = 1;
  while (at <= text.size()) {
    const std::size_t end = std::min(text.find('/', at), text.size());
    const std::string part = text.substr(at, end - at);
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else if (part != ".") {
      parts.push_back(part);
    }
    at = end + 1;
  }
  std::string out;
  for (const std::string& part : parts) out += "/" + part;
  return out.empty() ? "/" : out;
}

std::string seen_by(const Origin& origin, std::string path) {
  if (origin.cut_params_first) path = cut(path);
  if (origin.decodes) path = decode(path, origin.decodes_slash);
  if (origin.decodes && origin.decodes_twice) path = decode(path, origin.decodes_slash);
  if (origin.backslash) std::replace(path.begin(), path.end(), '\\', '/');
  if (origin.cut_params_later) path = cut(path);
  if (origin.resolves && origin.resolves_before_merge) path = resolve(path);
  if (origin.merges) path = merge(path);
  if (origin.resolves && !origin.resolves_before_merge) path = resolve(path);
  return path;
}

TEST(PathConfusion, NoSpellingThatAnOriginReadsAsAdminReachesAnotherRoute) {
  static const std::vector<std::string> kPieces = {
      "/",      "//",      "/admin", "admin", "/pub",      "/..", "/.",    "..",
      ".",      ";x",      ";/",     "%2f",   "%2F",       "%5c", "\\",    "%2e",
      "%2e%2e", "%61dmin", "%252e",  "%252f", "%2561dmin", "%3b", "%253b", "%25",
      "/x",     "%c0%af",  "/%61",   "dmin",  "%20"};
  RouteTable table = add(RouteTable(), make_route("a.test", "root", "/"));
  table = add(table, make_route("a.test", "pub", "/pub"));
  table = add(table, make_route("a.test", "admin", "/admin"));
  Random random(99);
  int admin = 0;
  int refused = 0;
  int other = 0;
  for (int round = 0; round < 4'000; ++round) {
    std::string path = "/";
    for (std::size_t i = 1 + random.below(7); i > 0; --i) path += random.pick(kPieces);
    const std::string got = ask(table, "a.test", path);
    (got == "admin" ? admin : got.front() == '<' ? refused : other) += 1;
    if (got == "admin" || got == "<bad path>" || got == "<two readings>") continue;
    for (unsigned bits = 0; bits < 512; ++bits) {
      const auto bit = [bits](unsigned n) { return (bits >> n & 1) != 0; };
      const std::string seen =
          seen_by({bit(0), bit(1), bit(2), bit(3), bit(4), bit(5), bit(6), bit(7), bit(8)}, path);
      ASSERT_FALSE(seen == "/admin" || seen.starts_with("/admin/"))
          << path << " went to " << got << " but reads " << seen << " with habits " << bits;
    }
    ASSERT_NO_FATAL_FAILURE(expect_explain_agrees(table, {"a.test", path, "GET", nullptr}));
  }
  EXPECT_GT(admin, 10);
  EXPECT_GT(refused, 500);
  EXPECT_GT(other, 100) << "harmless spellings are served";
}

}  // namespace
}  // namespace weir::routing
