// The fields of hosts and of a route's match: each changes which route takes a request.

#include <gtest/gtest.h>

#include "tests/push/stage.h"

namespace weir::push {
namespace {

using model::make_resource;
using model::PathKind;
using model::ValueKind;
using model::ValueMatch;

// One dataplane for all tests; each uses a host of its own.
class PushRouting : public testing::Test {
 protected:
  static void SetUpTestSuite() { stage_ = new Stage; }
  static void TearDownTestSuite() {
    delete stage_;
    stage_ = nullptr;
  }
  static model::Route route(const std::string& host, const std::string& id, const std::string& path,
                            const std::string& cluster) {
    model::Route out = make_route(id, path, cluster);
    out.host = host;
    return out;
  }
  static std::string ask(const std::string& host, const std::string& target,
                         const std::string& fields = {}) {
    const Answer answer = get(stage_->door(), target, host, fields);
    return answer.status == 200 ? answer.server() : std::to_string(answer.status);
  }
  static Stage* stage_;
};
Stage* PushRouting::stage_ = nullptr;

TEST_F(PushRouting, AWildcardCoversOneLabelOrAnyNumber) {
  model::Host host = make_host("*.depth.test");
  stage_->must_push({make_resource(host), make_resource(route(host.name, "r", "/", "aa"))});
  EXPECT_EQ(ask("x.depth.test", "/"), "aa");
  EXPECT_EQ(ask("x.y.depth.test", "/"), "404");
  host.any_depth = true;
  stage_->must_push({make_resource(host)});
  EXPECT_EQ(ask("x.y.depth.test", "/"), "aa");
  EXPECT_EQ(ask("depth.test", "/"), "404");
}

TEST_F(PushRouting, FallThroughTriesTheNextHost) {
  model::Host exact = make_host("x.fall.test");
  stage_->must_push({make_resource(exact), make_resource(make_host("*.fall.test")),
                     make_resource(route("x.fall.test", "r", "/only", "aa")),
                     make_resource(route("*.fall.test", "r", "/", "bb"))});
  EXPECT_EQ(ask("x.fall.test", "/only"), "aa");
  EXPECT_EQ(ask("x.fall.test", "/else"), "404");
  exact.fall_through = true;
  stage_->must_push({make_resource(exact)});
  EXPECT_EQ(ask("x.fall.test", "/else"), "bb");
  EXPECT_EQ(ask("x.fall.test", "/only"), "aa");
}

TEST_F(PushRouting, PathKindsTakeWhatTheySay) {
  struct Case {
    PathKind kind;
    const char* value;
    bool ignore_case;
    const char* target;
    const char* want;
  };
  constexpr auto prefix = PathKind::kPrefix;
  constexpr auto exact = PathKind::kExact;
  constexpr auto regex = PathKind::kRegex;
  for (const Case& c : {Case{prefix, "/foo", false, "/foo/bar", "aa"},
                        {prefix, "/foo", false, "/foobar", "404"},
                        {exact, "/foo", false, "/foo", "aa"},
                        {exact, "/foo", false, "/foo/bar", "404"},
                        {regex, "/f[o]+$", false, "/fooo", "aa"},
                        {regex, "/f[o]+$", false, "/Fooo", "404"},
                        {regex, "/f[o]+$", true, "/Fooo", "aa"},
                        {regex, "/f[o]+$", false, "/fooo/x", "404"},
                        {regex, "/f", false, "/foo/x", "aa"},
                        {prefix, "/f[o]+$", false, "/fooo", "404"}}) {
    SCOPED_TRACE(std::string(c.value) + " and " + c.target);
    model::Route r = route("kinds.test", "r", c.value, "aa");
    r.match.path.kind = c.kind;
    r.match.path.ignore_case = c.ignore_case;
    stage_->must_push({make_resource(r)});
    EXPECT_EQ(ask("kinds.test", c.target), c.want);
  }
}

TEST_F(PushRouting, AMethodChoosesTheRoute) {
  model::Route r = route("method.test", "r", "/", "aa");
  r.match.method = "POST";
  stage_->must_push({make_resource(r)});
  EXPECT_EQ(ask("method.test", "/"), "404");
  r.match.method = "GET";
  stage_->must_push({make_resource(r)});
  EXPECT_EQ(ask("method.test", "/"), "aa");
}

TEST_F(PushRouting, HeaderConditionsChooseTheRoute) {
  model::Route narrow = route("header.test", "narrow", "/", "bb");
  narrow.match.headers = {{"X-Tier", ValueKind::kExact, "gold"}};
  stage_->must_push(
      {make_resource(route("header.test", "wide", "/", "aa")), make_resource(narrow)});
  EXPECT_EQ(ask("header.test", "/"), "aa");
  EXPECT_EQ(ask("header.test", "/", "x-tier: gold\r\n"), "bb");
  EXPECT_EQ(ask("header.test", "/", "X-Tier: golden\r\n"), "aa");
  EXPECT_EQ(ask("header.test", "/", "X-Tier: g.*\r\n"), "aa");
  narrow.match.headers[0] = {"X-Tier", ValueKind::kRegex, "g.ld"};
  stage_->must_push({make_resource(narrow)});
  EXPECT_EQ(ask("header.test", "/", "X-Tier: gild\r\n"), "bb");
  EXPECT_EQ(ask("header.test", "/", "X-Tier: golden\r\n"), "aa") << "the whole value";
}

TEST_F(PushRouting, QueryConditionsChooseTheRoute) {
  model::Route narrow = route("query.test", "narrow", "/", "bb");
  narrow.match.query = {{"v", ValueKind::kExact, "2"}};
  stage_->must_push({make_resource(route("query.test", "wide", "/", "aa")), make_resource(narrow)});
  EXPECT_EQ(ask("query.test", "/"), "aa");
  EXPECT_EQ(ask("query.test", "/?v=2"), "bb");
  EXPECT_EQ(ask("query.test", "/?V=2"), "aa");
  EXPECT_EQ(ask("query.test", "/?x=1&v=2&v=3"), "bb");
  EXPECT_EQ(ask("query.test", "/?v=3&v=2"), "aa") << "the first occurrence counts";
  narrow.match.query[0] = {"v", ValueKind::kRegex, "[0-9]+"};
  stage_->must_push({make_resource(narrow)});
  EXPECT_EQ(ask("query.test", "/?v=77"), "bb");
  EXPECT_EQ(ask("query.test", "/?v=7a"), "aa");
}

// Each route is better than the one before it and worse than the one after.
TEST_F(PushRouting, ConditionsWinInTheOrderMethodHeadersQuery) {
  model::Route plain = route("order.test", "1-plain", "/p", "");
  plain.fixed_status = 401;
  model::Route query = route("order.test", "2-query", "/p", "");
  query.match.query = {{"q", ValueKind::kExact, "1"}, {"r", ValueKind::kExact, "1"}};
  query.fixed_status = 402;
  model::Route header = route("order.test", "3-header", "/p", "");
  header.match.headers = {{"X-A", ValueKind::kExact, "1"}};
  header.fixed_status = 403;
  model::Route headers = header;
  headers.id = "4-headers";
  headers.match.headers.push_back({"X-B", ValueKind::kExact, "1"});
  headers.fixed_status = 405;
  model::Route method = route("order.test", "5-method", "/p", "");
  method.match.method = "GET";
  method.fixed_status = 406;
  model::Route longer = route("order.test", "6-longer", "/p/q", "");
  longer.fixed_status = 407;
  stage_->must_push(
      {make_resource(plain), make_resource(query), make_resource(header), make_resource(headers)});
  EXPECT_EQ(ask("order.test", "/p"), "401");
  EXPECT_EQ(ask("order.test", "/p?q=1&r=1"), "402");
  EXPECT_EQ(ask("order.test", "/p?q=1&r=1", "X-A: 1\r\n"), "403");
  EXPECT_EQ(ask("order.test", "/p?q=1&r=1", "X-A: 1\r\nX-B: 1\r\n"), "405");
  stage_->must_push({make_resource(method)});
  EXPECT_EQ(ask("order.test", "/p?q=1&r=1", "X-A: 1\r\nX-B: 1\r\n"), "406");
  stage_->must_push({make_resource(longer)});
  EXPECT_EQ(ask("order.test", "/p/q?q=1&r=1", "X-A: 1\r\nX-B: 1\r\n"), "407");
}

TEST_F(PushRouting, PrecedenceDecidesBetweenEqualMatches) {
  model::Route one = route("older.test", "one", "/", "aa");
  model::Route two = route("older.test", "two", "/", "bb");
  const auto winner = [&](model::Precedence first, model::Precedence second) {
    one.precedence = std::move(first);
    two.precedence = std::move(second);
    stage_->must_push({make_resource(one), make_resource(two)});
    return ask("older.test", "/");
  };
  EXPECT_EQ(winner({100, "x/x", 0}, {200, "a/a", 0}), "aa") << "the older";
  EXPECT_EQ(winner({300, "a/a", 0}, {200, "x/x", 0}), "bb") << "the older";
  EXPECT_EQ(winner({100, "x/x", 0}, {100, "a/a", 1}), "bb") << "the lower owner";
  EXPECT_EQ(winner({100, "a/a", 0}, {100, "x/x", 0}), "aa") << "the lower owner";
  EXPECT_EQ(winner({100, "a/a", 2}, {100, "a/a", 1}), "bb") << "the lower order";
  EXPECT_EQ(winner({100, "a/a", 0}, {100, "a/a", 1}), "aa") << "the lower order";
}

TEST_F(PushRouting, ARouteWithoutBackendsAnswersItsStatus) {
  model::Route r = route("fixed.test", "r", "/", "");
  stage_->must_push({make_resource(r)});
  EXPECT_EQ(ask("fixed.test", "/"), "404");
  r.fixed_status = 418;
  stage_->must_push({make_resource(r)});
  EXPECT_EQ(ask("fixed.test", "/"), "418");
}

TEST_F(PushRouting, ADeniedRouteAnswers503Whatever) {
  model::Route r = route("deny.test", "r", "/", "aa");
  stage_->must_push({make_resource(r)});
  EXPECT_EQ(ask("deny.test", "/"), "aa");
  r.deny_reason = "the password file is broken";
  stage_->must_push({make_resource(r)});
  EXPECT_EQ(ask("deny.test", "/"), "503");
  EXPECT_TRUE(eventually([] {
    return stage_->dataplane.access_log().find("the password file is broken") != std::string::npos;
  }));
}

// Row 21: every spelling that some origin reads as /admin meets the rule of /admin or is refused.
TEST_F(PushRouting, NoSpellingOfAPathGetsAroundItsRule) {
  model::Route guarded = route("paths.test", "admin", "/admin", "");
  guarded.fixed_status = 403;
  stage_->must_push({make_resource(route("paths.test", "all", "/", "aa")), make_resource(guarded)});
  for (const char* target : {"/admin",
                             "/admin/",
                             "/admin/x",
                             "//admin",
                             "/./admin",
                             "/x/../admin",
                             "/%61dmin",
                             "/a%64min/x",
                             "/%2e/admin",
                             "/x/%2e%2e/admin",
                             "/x%2f..%2fadmin",
                             "/x/..%2fadmin",
                             "/%2fadmin",
                             "/admin%2fx",
                             "/admin;x=1",
                             "/;/admin",
                             "/x;/../admin",
                             "/x\\..\\admin",
                             "/%5cadmin",
                             "\\admin",
                             "/admin\\x",
                             "/%2561dmin",
                             "/x/..;/admin",
                             "/%c0%afadmin",
                             "/x/%c0%ae%c0%ae/admin",
                             "/admin%00",
                             "/admin%2",
                             "/admin#x",
                             "///x//..//admin"}) {
    const std::string got = ask("paths.test", target);
    EXPECT_TRUE(got == "403" || got == "400") << target << " got " << got;
  }
  for (const char* target : {"/", "/adm", "/administrator", "/x//y", "/x/./y", "/a%20b", "/x;y=1",
                             "/x%2fy", "/ok?to=/admin", "/ok?to=../admin"}) {
    EXPECT_EQ(ask("paths.test", target), "aa") << target;
    const std::string line = stage_->aa.last().substr(0, stage_->aa.last().find("\r\n"));
    EXPECT_EQ(line, "GET " + std::string(target) + " HTTP/1.1") << "forwarded as it came";
  }
}

}  // namespace
}  // namespace weir::push
