// Which backend takes a request: the scenarios of ingress-controller-conformance, restated, and
// what ingress-nginx adds.

#include <gtest/gtest.h>

#include <set>

#include "tests/scenario/harness/stage.h"

namespace weir::scenario {
namespace {

struct Case {
  const char* name;
  const char* host;
  const char* target;
  int status;
  const char* backend;  // nullptr: the answer is the proxy's own
};

void expect_cases(const Weir& weir, const std::vector<Case>& cases) {
  Client client(weir.http());
  for (const Case& c : cases) {
    SCOPED_TRACE(std::string(c.name) + ": " + c.host + c.target);
    const Answer answer = client.ask({.target = c.target, .host = c.host});
    EXPECT_EQ(answer.status, c.status) << answer.to_string();
    EXPECT_EQ(answer.backend(), c.backend == nullptr ? "" : c.backend) << answer.to_string();
    EXPECT_FALSE(answer.says_close()) << answer.to_string();
  }
}

TEST(Routing, ADefaultBackendTakesEveryMethodAndTheAnswerHasTheUsualHeaders) {
  Stage stage;
  stage.serve("fallback", {"fallback"});
  stage.files["ingress.yaml"] = ingress({.name = "only-default", .default_service = "fallback"});
  Weir weir(stage.files);
  ASSERT_TRUE(weir.ready());
  for (const char* method : {"GET", "POST", "PUT", "DELETE", "PATCH"}) {
    SCOPED_TRACE(method);
    const Answer answer = ask_once(weir.http(), {.method = method,
                                                 .target = "/anything",
                                                 .host = "nobody.test",
                                                 .fields = {{"User-Agent", "conformance/1"}}});
    ASSERT_EQ(answer.status, 200) << answer.to_string();
    EXPECT_EQ(answer.backend(), "fallback");
    for (const char* field : {"Content-Length", "Content-Type", "Date", "Server"}) {
      EXPECT_TRUE(answer.message.has(field)) << field << " is missing\n" << answer.to_string();
    }
    const Message seen = stage.backends.last_request("fallback");
    EXPECT_EQ(seen.start, std::string(method) + " /anything HTTP/1.1");
    EXPECT_EQ(seen.find("User-Agent"), "conformance/1");
  }
}

TEST(Routing, HostsAreExactOrOneLabelWild) {
  Stage stage;
  stage.serve("wild", {"wild"});
  stage.serve("foo", {"foo"});
  stage.serve("any", {"any"});
  stage.files["ingress.yaml"] =
      simple_ingress("wild", "*.foo.com", "wild") + simple_ingress("foo", "exact.foo.com", "foo") +
      ingress({.name = "named-port",
               .rules = {{"named.test", {{.path = "/", .service = "foo", .port = "http"}}}}});
  Weir weir(stage.files);
  ASSERT_TRUE(weir.ready());
  expect_cases(weir,
               {{"wildcard takes one label", "bar.foo.com", "/", 200, "wild"},
                {"exact beats wildcard", "exact.foo.com", "/", 200, "foo"},
                {"case and port of Host do not matter", "EXACT.foo.com:8080", "/", 200, "foo"},
                {"two labels are not one", "baz.bar.foo.com", "/", 404, nullptr},
                {"none is not one", "foo.com", "/", 404, nullptr},
                {"nobody's host", "other.test", "/", 404, nullptr},
                {"a port by name", "named.test", "/", 200, "foo"}});
  ASSERT_TRUE(
      weir.change("any.yaml", ingress({.name = "any", .rules = {{"", {{.service = "any"}}}}})));
  expect_cases(weir, {{"a rule without host takes what is left", "other.test", "/", 200, "any"},
                      {"also what the wildcard does not cover", "foo.com", "/", 200, "any"}});
}

TEST(Routing, PathsAreExactOrPrefixesBySegmentAndTheLongestWins) {
  Stage stage;
  for (const char* name : {"exact", "prefix", "longer", "slash", "root", "loose"}) {
    stage.serve(name, {name});
  }
  stage.files["ingress.yaml"] = ingress(
      {.name = "paths",
       .rules = {{"exact.test", {{"/foo", "Exact", "exact"}}},
                 {"prefix.test", {{"/aaa/bbb", "Prefix", "longer"}, {"/aaa", "Prefix", "prefix"}}},
                 {"slash.test", {{"/aaa/bbb/", "Prefix", "slash"}}},
                 {"root.test", {{"/", "Prefix", "root"}, {"/foo", "Exact", "exact"}}},
                 {"mixed.test", {{"/foo", "Prefix", "prefix"}, {"/foo", "Exact", "exact"}}},
                 {"loose.test", {{"/foo", "ImplementationSpecific", "loose"}}}}});
  Weir weir(stage.files);
  ASSERT_TRUE(weir.ready());
  expect_cases(weir,
               {{"exact path", "exact.test", "/foo", 200, "exact"},
                {"a query is no part of the path", "exact.test", "/foo?a=/foo/b", 200, "exact"},
                {"exact: trailing slash differs", "exact.test", "/foo/", 404, nullptr},
                {"exact: no sub-path", "exact.test", "/foo/bar", 404, nullptr},
                {"exact: case counts", "exact.test", "/FOO", 404, nullptr},
                {"exact: another path", "exact.test", "/bar", 404, nullptr},
                {"prefix itself", "prefix.test", "/aaa", 200, "prefix"},
                {"prefix with slash", "prefix.test", "/aaa/", 200, "prefix"},
                {"sub-path", "prefix.test", "/aaa/ccc", 200, "prefix"},
                {"longest prefix wins", "prefix.test", "/aaa/bbb", 200, "longer"},
                {"longest prefix and below", "prefix.test", "/aaa/bbb/ccc", 200, "longer"},
                {"a segment is whole", "prefix.test", "/aaa/bbbccc", 200, "prefix"},
                {"a part of a segment is no prefix", "prefix.test", "/aaaccc", 404, nullptr},
                {"prefix: case counts", "prefix.test", "/AAA", 404, nullptr},
                {"trailing slash of a rule is ignored", "slash.test", "/aaa/bbb", 200, "slash"},
                {"and matches itself", "slash.test", "/aaa/bbb/", 200, "slash"},
                {"and what is below", "slash.test", "/aaa/bbb/ccc", 200, "slash"},
                {"but no part of a segment", "slash.test", "/aaa/bb", 404, nullptr},
                {"root takes all", "root.test", "/some/where", 200, "root"},
                {"exact beats root", "root.test", "/foo", 200, "exact"},
                {"exact before equal prefix", "mixed.test", "/foo", 200, "exact"},
                {"prefix for the rest", "mixed.test", "/foo/", 200, "prefix"},
                {"implementation specific is a prefix", "loose.test", "/foo/bar", 200, "loose"}});
}

TEST(Routing, AnotherClassIsNotServedAndAMissingServiceAnswers503) {
  Stage stage;
  stage.serve("a", {"a"});
  stage.serve("empty", {});
  stage.files["ingress.yaml"] =
      ingress(
          {.name = "other", .rules = {{"other.test", {{.service = "a"}}}}, .class_name = "other"}) +
      ingress({.name = "none", .rules = {{"none.test", {{.service = "a"}}}}, .class_name = ""}) +
      simple_ingress("missing", "missing.test", "nowhere") +
      simple_ingress("empty", "empty.test", "empty");
  Weir weir(stage.files);
  ASSERT_TRUE(weir.ready());
  expect_cases(weir, {{"another class", "other.test", "/", 404, nullptr},
                      {"no class: weirctl up serves it", "none.test", "/", 200, "a"},
                      {"no such Service", "missing.test", "/", 503, nullptr},
                      {"no endpoint", "empty.test", "/", 503, nullptr}});
  ASSERT_TRUE(weir.change(Stage::file_of("empty"), stage.service_of("empty", {"a"})));
  expect_cases(weir, {{"an endpoint appears", "empty.test", "/", 200, "a"}});
}

TEST(Routing, AllTenReplicasAreHitByAHundredNewClients) {
  Stage stage;
  std::vector<std::string> names;
  for (int i = 0; i < 10; ++i) names.push_back("replica-" + std::to_string(i));
  stage.serve("a", names);
  stage.files["ingress.yaml"] = simple_ingress("a", "a.test", "a");
  Weir weir(stage.files, {.workers = 1});
  ASSERT_TRUE(weir.ready());
  std::map<std::string, int> hits;
  for (int i = 0; i < 100; ++i) ++hits[ask_once(weir.http(), {}).backend()];
  EXPECT_EQ(hits.size(), 10U);
  for (const auto& [name, count] : hits) EXPECT_EQ(count, 10) << name;
}

TEST(Routing, OneBadObjectHarmsOnlyItself) {
  Stage stage;
  stage.serve("a", {"a"});
  stage.files["good.yaml"] = simple_ingress("good", "good.test", "a");
  stage.files["bad.yaml"] = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: [oops\n";
  stage.files["worse.yaml"] =
      ingress({.name = "worse",
               .rules = {{"bad host!", {{.service = "a"}}}, {"worse.test", {{.service = "a"}}}}});
  Weir weir(stage.files);
  ASSERT_TRUE(weir.ready());
  expect_cases(weir, {{"the good one", "good.test", "/", 200, "a"}});
  EXPECT_NE(weir.log().find("bad.yaml"), std::string::npos) << "the broken file is not named";
  const std::string reports = weir.admin(weir.controller_admin_port(), "/reports");
  EXPECT_NE(reports.find("worse"), std::string::npos) << reports;
  ASSERT_TRUE(weir.change("bad.yaml", simple_ingress("bad", "bad.test", "a")));
  expect_cases(weir, {{"the mended one", "bad.test", "/", 200, "a"}});
}

TEST(Routing, TheOldestIngressKeepsAPathAndTheOtherIsTold) {
  Stage stage;
  stage.serve("old", {"old"});
  stage.serve("new", {"new"});
  stage.files["ingress.yaml"] = ingress({.name = "a-younger",
                                         .rules = {{"a.test", {{.service = "new"}}}},
                                         .created = "2025-02-02T00:00:00Z"}) +
                                ingress({.name = "z-older",
                                         .rules = {{"a.test", {{.service = "old"}}}},
                                         .created = "2025-01-01T00:00:00Z"});
  Weir weir(stage.files);
  ASSERT_TRUE(weir.ready());
  expect_cases(weir, {{"the older one", "a.test", "/", 200, "old"}});
  EXPECT_NE(weir.admin(weir.controller_admin_port(), "/reports").find("a-younger"),
            std::string::npos);
}

}  // namespace
}  // namespace weir::scenario
