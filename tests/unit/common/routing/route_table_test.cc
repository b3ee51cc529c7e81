#include "common/routing/route_table.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/unit/common/routing/routes.h"

namespace weir::routing {
namespace {

using model::PathKind;
using model::ValueKind;

TEST(Paths, PrefixesCompareWholeSegmentsAndTheLongestWins) {
  RouteTable table;
  table = add(table, make_route("a.test", "root", "/"));
  table = add(table, make_route("a.test", "foo", "/foo/"));
  table = add(table, make_route("a.test", "bar", "/foo/bar"));
  table = add(table, make_route("a.test", "deep", "/foo/bar/baz/qux"));
  table = add(table, make_route("a.test", "exact", "/foo", PathKind::kExact));
  table = add(table, make_route("a.test", "slash", "/end/", PathKind::kExact));
  struct Case {
    std::string_view target, want;
  };
  for (const Case& c :
       {Case{"/", "root"}, Case{"/x", "root"}, Case{"/foo", "exact"},
        Case{"/foo?x=/foo/bar", "exact"}, Case{"/foo/", "foo"}, Case{"/foobar", "root"},
        Case{"/foo/ba", "foo"}, Case{"/foo/bar", "bar"}, Case{"/foo/bar/", "bar"},
        Case{"/foo/bars", "foo"}, Case{"/foo/bar/baz", "bar"},
        Case{"/foo/bar/baz/qux/1/2/3", "deep"}, Case{"/FOO/bar", "root"}, Case{"/end", "root"},
        Case{"/end/", "slash"}, Case{"?x", "<bad path>"}, Case{"*", "<bad path>"},
        Case{"", "<bad path>"}}) {
    EXPECT_EQ(ask(table, "a.test", c.target), c.want) << c.target;
  }
}

TEST(Paths, RegexIsAnchoredAtTheStartAndComesAfterPrefixes) {
  RouteTable table;
  table = add(table, make_route("a.test", "short", "/v[0-9]", PathKind::kRegex));
  table = add(table, make_route("a.test", "long", "/v[0-9]+/users", PathKind::kRegex));
  model::Route folded = make_route("a.test", "folded", "/img/.*\\.png$", PathKind::kRegex);
  folded.match.path.ignore_case = true;
  table = add(table, folded);
  table = add(table, make_route("a.test", "prefix", "/v2"));
  EXPECT_EQ(ask(table, "a.test", "/v1/users/7"), "long");
  EXPECT_EQ(ask(table, "a.test", "/v1/x"), "short");
  EXPECT_EQ(ask(table, "a.test", "/v2/users"), "prefix");
  EXPECT_EQ(ask(table, "a.test", "/x/v1"), "<no route>");
  EXPECT_EQ(ask(table, "a.test", "/IMG/a.PNG"), "folded");
  EXPECT_EQ(ask(table, "a.test", "/img/a.pngx"), "<no route>");
}

TEST(Paths, BadPatternsAndPathsAreRefusedWithRouteAndValue) {
  const RouteTable table;
  struct Case {
    std::string name, path, text;
    PathKind kind;
  };
  for (const Case& c : {Case{"syntax", "/a(", "'/a('", PathKind::kRegex},
                        Case{"backreference", "(a)\\1", "'(a)\\1'", PathKind::kRegex},
                        Case{"too large", "((a{100}){100}){100}", "RE2", PathKind::kRegex},
                        Case{"too long", std::string(5000, 'a'), "5000 bytes", PathKind::kRegex},
                        Case{"no slash", "a", "does not begin", PathKind::kPrefix},
                        Case{"empty exact", "", "does not begin", PathKind::kExact}}) {
    SCOPED_TRACE(c.name);
    const auto got = table.with_route(target_of(make_route("a.test", "ns/x", c.path, c.kind)));
    ASSERT_FALSE(got.ok());
    EXPECT_NE(got.error().text.find("route a.test/ns/x: match.path: "), std::string::npos);
    EXPECT_NE(got.error().text.find(c.text), std::string::npos) << got.error().text;
    if (c.kind == PathKind::kRegex) {
      EXPECT_FALSE(check_regex(c.path).ok());
    }
  }
  EXPECT_TRUE(check_regex("^/a(b|c)*$").ok());
  model::Route header = make_route("a.test", "id", "/");
  header.match.headers = {{"x-a", ValueKind::kRegex, "["}};
  const auto got = table.with_route(target_of(header));
  ASSERT_FALSE(got.ok());
  EXPECT_NE(got.error().text.find("match.headers: 'x-a'"), std::string::npos) << got.error().text;
}

TEST(Conditions, MethodHeadersAndQueryDecideAmongEqualPaths) {
  RouteTable table;
  table = add(table, make_route("a.test", "any", "/"));
  model::Route route = make_route("a.test", "post", "/");
  route.match.method = "POST";
  table = add(table, route);
  route = make_route("a.test", "canary", "/");
  route.match.headers = {{"X-Canary", ValueKind::kExact, "on"},
                         {"x-canary", ValueKind::kExact, "?"}};
  table = add(table, route);
  route = make_route("a.test", "both", "/");
  route.match.headers = {{"x-canary", ValueKind::kExact, "on"},
                         {"x-v", ValueKind::kRegex, "[0-9]+"}};
  table = add(table, route);
  route = make_route("a.test", "query", "/");
  route.match.query = {{"a b", ValueKind::kExact, "1+1"}};
  table = add(table, route);
  route = make_route("a.test", "query-regex", "/");
  route.match.query = {{"id", ValueKind::kRegex, "u[0-9]"}, {"x", ValueKind::kExact, ""}};
  table = add(table, route);
  const Headers canary{{"x-canary", "on"}};
  const Headers both{{"x-canary", "on"}, {"x-v", "12"}};
  const Headers partly{{"x-canary", "on"}, {"x-v", "12x"}};
  EXPECT_EQ(ask(table, "a.test", "/"), "any");
  EXPECT_EQ(ask(table, "a.test", "/", "post"), "any") << "methods are compared with case";
  EXPECT_EQ(ask(table, "a.test", "/", "POST", &both), "post") << "method before headers";
  EXPECT_EQ(ask(table, "a.test", "/", "GET", &canary), "canary") << "of a repeated name the first";
  EXPECT_EQ(ask(table, "a.test", "/", "GET", &both), "both");
  EXPECT_EQ(ask(table, "a.test", "/", "GET", &partly), "canary") << "regex takes the whole value";
  EXPECT_EQ(ask(table, "a.test", "/?a+b=1%2B1&a+b=2"), "query");
  EXPECT_EQ(ask(table, "a.test", "/?a+b=2&a+b=1%2B1"), "any") << "the first occurrence counts";
  EXPECT_EQ(ask(table, "a.test",
                "/?x&id=%75"
                "7"),
            "query-regex");
}

TEST(Conditions, ALongerPathWhoseConditionsFailFallsBackToAShorterOne) {
  RouteTable table;
  model::Route narrow = make_route("a.test", "narrow", "/a/b");
  narrow.match.method = "PUT";
  table = add(add(table, narrow), make_route("a.test", "wide", "/a"));
  EXPECT_EQ(ask(table, "a.test", "/a/b", "PUT"), "narrow");
  EXPECT_EQ(ask(table, "a.test", "/a/b", "GET"), "wide");
}

TEST(Precedence, OlderThenOwnerThenOrderThenIdWhateverTheOrderOfArrival) {
  const auto made = [](std::string id, std::int64_t created, std::string owner,
                       std::uint32_t order) {
    model::Route route = make_route("a.test", std::move(id), "/");
    route.precedence = {created, std::move(owner), order};
    return route;
  };
  std::vector<model::Route> best_first = {made("4", 10, "z/z", 9), made("5", 20, "a/a", 1),
                                          made("3", 20, "a/a", 2), made("1", 20, "a/b", 0),
                                          made("2", 20, "a/b", 0)};
  std::vector<model::Route> arriving = best_first;
  std::sort(arriving.begin(), arriving.end(), [](auto& a, auto& b) { return a.id < b.id; });
  do {
    RouteTable table;
    for (const model::Route& route : arriving) table = add(table, route);
    for (const model::Route& best : best_first) {
      ASSERT_EQ(ask(table, "a.test", "/"), best.id);
      table = table.without_route("a.test", best.id);
    }
    ASSERT_EQ(table.host_count(), 0U);
  } while (std::next_permutation(arriving.begin(), arriving.end(),
                                 [](auto& a, auto& b) { return a.id < b.id; }));
}

TEST(Hosts, ExactThenWildcardsByDepthRuleThenAny) {
  RouteTable table;
  for (const std::string host : {"shop.test", "*.shop.test", "*.deep.test", "*.a.deep.test", "*"}) {
    table = add(table, make_route(host, host, "/"));
  }
  table = add_host(table, "*.deep.test", true);
  struct Case {
    std::string_view host, want;
  };
  for (const Case& c :
       {Case{"SHOP.test:8080", "shop.test"}, Case{"www.shop.test.", "*.shop.test"},
        Case{"a.b.shop.test", "*"}, Case{"x.deep.test", "*.deep.test"},
        Case{"x.y.z.deep.test", "*.deep.test"}, Case{"deep.test", "*"},
        Case{"x.a.deep.test", "*.a.deep.test"}, Case{"x.y.a.deep.test", "*.deep.test"},
        Case{"10.0.0.1", "*"}, Case{"[::1]:80", "*"}, Case{"", "*"}, Case{"a b", "<no host>"},
        Case{"user@shop.test", "<no host>"}}) {
    EXPECT_EQ(ask(table, c.host, "/"), c.want) << c.host;
  }
  EXPECT_EQ(ask(table.without_route("*", "*"), "other.test", "/"), "<no host>");
}

TEST(Hosts, OneTakesTheRequestForGoodUnlessItFallsThrough) {
  RouteTable table;
  table = add(table, make_route("a.b.test", "own", "/own"));
  table = add(table, make_route("*.b.test", "wild", "/wild"));
  table = add(table, make_route("*", "any", "/"));
  EXPECT_EQ(ask(table, "a.b.test", "/own"), "own");
  EXPECT_EQ(ask(table, "a.b.test", "/wild"), "<no route>");
  table = add_host(table, "a.b.test", false, true);
  EXPECT_EQ(ask(table, "a.b.test", "/wild"), "wild");
  EXPECT_EQ(ask(table, "a.b.test", "/x"), "<no route>");
  table = add_host(table, "*.b.test", false, true);
  EXPECT_EQ(ask(table, "a.b.test", "/x"), "any");
}

TEST(Hosts, WithoutRoutesOnlyChoosesACertificate) {
  RouteTable table = add_host(RouteTable(), "a.b.test", false, false, {"ns/cert"});
  EXPECT_EQ(ask(table, "a.b.test", "/"), "<no host>");
  table = add(table, make_route("*.b.test", "wild", "/"));
  EXPECT_EQ(ask(table, "a.b.test", "/"), "wild");
}

TEST(Hosts, GoWhenNeitherDeclaredNorRouted) {
  RouteTable table = add(RouteTable(), make_route("a.test", "r", "/"));
  EXPECT_EQ(table.host_count(), 1U);
  ASSERT_NE(table.host("A.test"), nullptr);
  table = add_host(table, "a.test", false, true);
  EXPECT_TRUE(table.host("a.test")->fall_through);
  EXPECT_EQ(ask(table, "a.test", "/"), "r") << "declaring a host keeps its routes";
  table = table.without_host("a.test");
  EXPECT_FALSE(table.host("a.test")->fall_through);
  EXPECT_EQ(table.without_host("a.test").host_count(), 1U);
  table = add_host(table, "*.w.test").without_route("a.test", "r");
  EXPECT_EQ(table.host("a.test"), nullptr);
  EXPECT_EQ(table.host_count(), 1U);
  EXPECT_EQ(table.without_host("*.w.test").host_count(), 0U);
  EXPECT_EQ(table.without_route("none", "r").host_count(), 1U);
}

TEST(Certificates, NextLessSpecificHostServesWhereOneNamesNone) {
  RouteTable table;
  table = add_host(table, "a.b.test", false, false, {"own"});
  table = add_host(table, "c.b.test");
  table = add_host(table, "*.b.test", false, false, {"wild-rsa", "wild-ec"});
  const std::vector<std::string> wild{"wild-rsa", "wild-ec"};
  EXPECT_EQ(*table.certificates("A.b.test"), std::vector<std::string>{"own"});
  EXPECT_EQ(*table.certificates("c.b.test"), wild);
  EXPECT_EQ(*table.certificates("x.b.test"), wild);
  EXPECT_EQ(table.certificates("y.x.b.test"), nullptr);
  EXPECT_EQ(table.certificates("other.test"), nullptr);
  EXPECT_EQ(table.certificates(""), nullptr);
  table = add_host(table, "*", false, false, {"all"});
  EXPECT_EQ(*table.certificates("other.test"), std::vector<std::string>{"all"});
}

TEST(Copies, OldTablesServeOnAsTheyWere) {
  std::vector<RouteTable> versions{RouteTable()};
  for (int i = 0; i < 100; ++i) {
    model::Route route = make_route("a.test", "r" + std::to_string(i), "/p" + std::to_string(i));
    versions.push_back(add(versions.back(), route));
  }
  for (int i = 99; i >= 0; --i) {
    versions.push_back(versions.back().without_route("a.test", "r" + std::to_string(i)));
  }
  for (std::size_t v = 0; v < versions.size(); ++v) {
    const std::size_t count = v <= 100 ? v : 200 - v;
    ASSERT_EQ(versions[v].route_count(), count);
    ASSERT_EQ(versions[v].routes().size(), count);
    for (std::size_t i = 0; i < 100; i += 7) {
      const std::string at = std::to_string(i);
      const std::string miss = count == 0 ? "<no host>" : "<no route>";
      ASSERT_EQ(ask(versions[v], "a.test", "/p" + at + "/x"), i < count ? "r" + at : miss);
    }
  }
}

TEST(Copies, AReplacedRouteLeavesItsOldPath) {
  RouteTable table = add(RouteTable(), make_route("a.test", "r", "/old/deep"));
  const RouteTable before = table;
  table = add(table, make_route("a.test", "r", "/new", PathKind::kExact));
  EXPECT_EQ(table.route_count(), 1U);
  EXPECT_EQ(ask(table, "a.test", "/old/deep"), "<no route>");
  EXPECT_EQ(ask(table, "a.test", "/new"), "r");
  EXPECT_EQ(ask(before, "a.test", "/old/deep"), "r");
}

TEST(Explain, NamesWinnerAndWhyEachOtherLost) {
  RouteTable table;
  model::Route older = make_route("a.test", "older", "/cart");
  older.precedence = {100, "ns/older", 0};
  model::Route younger = make_route("a.test", "younger", "/cart");
  younger.precedence = {200, "ns/younger", 0};
  model::Route post = make_route("a.test", "post", "/cart");
  post.match.method = "POST";
  model::Route canary = make_route("a.test", "canary", "/cart");
  canary.match.headers = {{"x-canary", ValueKind::kExact, "on"}};
  for (const model::Route& route : {older, younger, post, canary, make_route("a.test", "root", "/"),
                                    make_route("a.test", "other", "/car"),
                                    make_route("a.test", "exact", "/x", PathKind::kExact),
                                    make_route("a.test", "regex", "/v[0-9]", PathKind::kRegex)}) {
    table = add(table, route);
  }
  const Explanation got = table.explain({"a.test", "/cart/1", "GET", nullptr});
  EXPECT_EQ(got.outcome, Outcome::kMatched);
  EXPECT_EQ(got.host, "a.test");
  EXPECT_EQ(got.normal_path, "/cart/1");
  std::vector<std::string> lines;
  for (const Candidate& candidate : got.candidates) {
    lines.push_back(candidate.route->id + (candidate.won ? " won: " : ": ") + candidate.reason);
  }
  EXPECT_EQ(lines, (std::vector<std::string>{
                       "post: method 'GET' is not 'POST'",
                       "canary: header 'x-canary' is absent or not 'on'",
                       "older won: path prefix '/cart' takes '/cart/1'",
                       "younger: older route 'older' took it first",
                       "root: route 'older' is more specific and took it first",
                       "exact: exact path '/x' does not take '/cart/1'",
                       "other: path prefix '/car' does not take '/cart/1'",
                       "regex: regular expression '/v[0-9]' does not take '/cart/1'"}));
}

TEST(Explain, ShowsBothRoutesOfAPathThatReadsTwoWays) {
  RouteTable table = add(RouteTable(), make_route("a.test", "root", "/"));
  table = add(table, make_route("a.test", "admin", "/admin"));
  const Explanation got = table.explain({"a.test", "/x/..%2fadmin", "GET", nullptr});
  EXPECT_EQ(got.outcome, Outcome::kTwoReadings);
  ASSERT_EQ(got.candidates.size(), 3U);
  EXPECT_NE(got.candidates[0].reason.find("an origin may read '/admin'"), std::string::npos);
  EXPECT_EQ(got.candidates[2].route->id, "admin");
  EXPECT_FALSE(got.candidates[0].won || got.candidates[2].won);
}

TEST(TwoReadings, RoutesWithEscapesAreReachedByEverySpellingOfTheirPath) {
  RouteTable table = add(RouteTable(), make_route("a.test", "root", "/"));
  table = add(table, make_route("a.test", "cafe", "/caf\xc3\xa9"));
  table = add(table, make_route("a.test", "blank", "/a%20b"));
  table = add(table, make_route("a.test", "dash", "/x%2Dy"));
  table = add(table, make_route("a.test", "project", "/p/g%2fn"));
  table = add(table, make_route("a.test", "double", "/q//r"));
  struct Case {
    std::string_view target, want;
  };
  for (const Case& c :
       {Case{"/caf%C3%A9/1", "cafe"}, Case{"/caf%c3%a9", "cafe"}, Case{"/caf\xc3\xa9", "cafe"},
        Case{"/a%20b", "blank"}, Case{"/x%2Dy", "dash"}, Case{"/x-y", "dash"},
        Case{"/p/g%2Fn", "<two readings>"}, Case{"/q//r/1", "double"}, Case{"/q/r", "double"},
        Case{"/search/a%20b%2C%22c%22", "root"}, Case{"/x//y/../z", "root"},
        Case{"/img%2Flogo.png", "root"}, Case{"/a;b/%2541", "root"}, Case{"/..", "<bad path>"},
        Case{"/a%00", "<bad path>"}, Case{"/a%2", "<bad path>"}}) {
    EXPECT_EQ(ask(table, "a.test", c.target), c.want) << c.target;
  }
}

TEST(Passthrough, TheMostSpecificHostThatSaysSomethingDecides) {
  const auto passing = [](const RouteTable& table, std::string name, bool any_depth) {
    model::Host host;
    host.table = "main";
    host.name = name;
    host.any_depth = any_depth;
    model::WeightedBackend backend;
    backend.cluster = name;
    host.passthrough.emplace().backends.push_back(backend);
    return table.with_host(std::move(host));
  };
  const auto goes_to = [](const RouteTable& table, std::string_view name) {
    const model::StreamRule* rule = table.passthrough(name);
    return rule == nullptr ? std::string() : rule->backends[0].cluster;
  };
  RouteTable table = add(RouteTable(), make_route("web.b.test", "r", "/"));
  EXPECT_FALSE(table.has_passthrough());
  EXPECT_EQ(goes_to(table, "web.b.test"), "");
  table = passing(table, "a.test", false);
  table = passing(table, "*.b.test", false);
  table = passing(table, "*.deep.test", true);
  table = add_host(table, "own.b.test", false, false, {"own"});
  EXPECT_TRUE(table.has_passthrough());
  struct Case {
    std::string_view name, want;
  };
  for (const Case& one :
       {Case{"a.test", "a.test"}, Case{"A.Test.", "a.test"}, Case{"x.b.test", "*.b.test"},
        Case{"web.b.test", ""}, Case{"own.b.test", ""}, Case{"y.x.b.test", ""},
        Case{"y.x.deep.test", "*.deep.test"}, Case{"other.test", ""}, Case{"", ""},
        Case{"bad host", ""}}) {
    EXPECT_EQ(goes_to(table, one.name), one.want) << one.name;
  }
  // A host that is declared anew without it is terminated again.
  table = add_host(table, "a.test");
  EXPECT_EQ(goes_to(table, "a.test"), "");
  table = table.without_host("*.b.test").without_host("*.deep.test");
  EXPECT_FALSE(table.has_passthrough());
}

}  // namespace
}  // namespace weir::routing
