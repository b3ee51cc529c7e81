#include "dataplane/dashboard/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dataplane/admin/pages.h"
#include "dataplane/dashboard/ask.h"
#include "dataplane/dashboard/asset.h"
#include "tests/unit/dataplane/snapshot/fixture.h"

namespace weir::dashboard {
namespace {

using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;
namespace fixture = weir::snapshot;

model::ResourcePtr certificate(const std::string& name, std::int64_t not_after) {
  model::Certificate out;
  out.name = name;
  out.names = {"a.test"};
  out.not_after = not_after;
  out.key_type = "ec";
  return model::make_resource(out, {"chain", "the key itself"});
}

struct Page {
  Page() {
    bench.builder.apply(fixture::upserts(
        7, {fixture::cluster("c1"), fixture::endpoints("c1", {1, 2}), fixture::cluster("c2"),
            fixture::endpoints("c2", {}), certificate("ns/soon", 1'000 + 3 * 24 * 3600),
            certificate("ns/late", 1'000'000'000), certificate("ns/over", 900),
            fixture::route("a.test", "one"), fixture::route("a.test", "two", {}, "c2"),
            fixture::route("b.test", "three", {"unknown/1"}), fixture::listener("http", 80)}));
  }
  const exchange::Snapshot& snapshot() const { return *bench.builder.current(); }
  fixture::Bench bench;
};

TEST(Overview, CountsAndNamesWhatIsWrong) {
  const Page page;
  const base::Json out = overview(page.snapshot(), 1'000);
  EXPECT_EQ(out["version"].as_int(), 7);
  EXPECT_EQ(out["routes"].as_int(), 3);
  EXPECT_EQ(out["routes_in_trouble"].as_int(), 2);
  EXPECT_EQ(out["endpoints"].as_int(), 2);
  EXPECT_EQ(out["endpoints_out"].as_int(), 0);
  std::vector<std::string> problems;
  for (const base::Json& one : out["problems"].items())
    problems.push_back(one["where"].as_string() + ": " + one["text"].as_string());
  EXPECT_THAT(problems, UnorderedElementsAre(HasSubstr("a.test/two: no endpoint of c2"),
                                             HasSubstr("b.test/three: "),
                                             "ns/soon: expires in 3 days", "ns/over: has expired"));
}

TEST(Routes, AreFoundByWhatTheyAreCalled) {
  const Page page;
  const base::Json all = routes(page.snapshot(), {});
  EXPECT_EQ(all["matched"].as_int(), 3);
  const base::Json& one = all["routes"].items().at(0);
  EXPECT_EQ(one["host"].as_string(), "a.test");
  EXPECT_EQ(one["labels"].to_string(), R"(["a.test","/one","ns","ing-one","svc"])");
  EXPECT_EQ(one["backends"].items().at(0)["cluster"].as_string(), "c1");
  EXPECT_FALSE(one.has("trouble"));
  const base::Json some = routes(page.snapshot(), {"A.TEST/", 1});
  EXPECT_EQ(some["total"].as_int(), 3);
  EXPECT_EQ(some["matched"].as_int(), 2);
  EXPECT_EQ(some["routes"].items().size(), 1U);
}

TEST(Certificates, AreToldWithoutTheirKeys) {
  const Page page;
  const std::string text = certificates(page.snapshot()).to_string();
  EXPECT_THAT(text, HasSubstr("ns/soon"));
  EXPECT_EQ(text.find("the key itself"), std::string::npos);
  EXPECT_EQ(text.find("chain"), std::string::npos);
}

TEST(Traffic, IsSummedByRoute) {
  base::Family requests{
      "nginx_ingress_controller_requests", "", base::MetricType::kCounter, {}, {}};
  for (const auto& [status, value] :
       {std::pair("200", 5.0), std::pair("404", 2.0), std::pair("503", 1.0)})
    requests.samples.push_back({{{"host", "a.test"}, {"path", "/"}, {"status", status}}, value});
  base::Family timed{"nginx_ingress_controller_request_duration_seconds",
                     "",
                     base::MetricType::kHistogram,
                     {},
                     {}};
  for (int i = 0; i < 2; ++i)
    timed.histograms.push_back({{{"host", "a.test"}, {"path", "/"}}, {{0.1, 3}}, 1, 4});
  const base::Json out = traffic({requests, timed}, 9);
  ASSERT_EQ(out["routes"].items().size(), 1U);
  const base::Json& one = out["routes"].items().at(0);
  EXPECT_EQ(one["requests"].as_double(), 8);
  EXPECT_EQ(one["client_errors"].as_double(), 2);
  EXPECT_EQ(one["server_errors"].as_double(), 1);
  EXPECT_EQ(one["timed"].as_double(), 8);
  EXPECT_EQ(one["latency"].items().at(0).items().at(1).as_double(), 6);
}

TEST(Ask, SaysWhoTakesItOrWhatIsWrongWithTheQuestion) {
  const Page page;
  const base::Json won = ask(page.snapshot(), "url=http%3A%2F%2Fa.test%2Fone&header=X%3A+1");
  EXPECT_EQ(won["listener"].as_string(), "http");
  EXPECT_TRUE(won["candidates"].items().at(0)["won"].as_bool());
  EXPECT_EQ(won["backends"].items().at(0)["endpoints"].items().size(), 2U);
  EXPECT_THAT(ask(page.snapshot(), "url=http://a.test/two").to_string(),
              HasSubstr("no endpoint: answers 503"));
  EXPECT_THAT(ask(page.snapshot(), "url=http://c.test/")["verdict"].as_string(), HasSubstr("404"));
  for (const auto& [query, part] :
       {std::pair("", "must begin with"), std::pair("url=http:///x", "has no host"),
        std::pair("url=http://a.test/&header=x", "Name: value"),
        std::pair("url=https://a.test/", "nothing listens for https")}) {
    EXPECT_THAT(ask(page.snapshot(), query)["error"].as_string(), HasSubstr(part)) << query;
  }
}

TEST(Assets, ArePutIntoTheProgramAsTheyAre) {
  std::vector<std::string> names;
  for (const Asset& asset : assets()) {
    names.emplace_back(asset.name);
    EXPECT_GT(asset.bytes.size(), 100U) << asset.name;
    EXPECT_EQ(asset.name == "index.html", asset.bytes.ends_with("</html>\n")) << asset.name;
  }
  EXPECT_THAT(names, ::testing::Contains("app.js"));
}

TEST(Pages, ThatRefuseNamesAnswerAddressesAlone) {
  admin::Pages pages;
  pages.add("/x", [](std::string_view query) { return admin::Page{200, "t", std::string(query)}; });
  EXPECT_EQ(pages.answer("GET", "/x", "any.test").status, 200);
  pages.refuse_names();
  for (const char* good : {"127.0.0.1", "127.0.0.1:80", "[::1]:80", "[::1]", "LocalHost:9"})
    EXPECT_EQ(pages.answer("GET", "/x?a=b", good).body, "a=b") << good;
  for (const char* bad :
       {"", "evil.test", "localhost.evil.test", "127.0.0.1.evil.test", "[::1", "::1"})
    EXPECT_EQ(pages.answer("GET", "/x", bad).status, 421) << bad;
  EXPECT_EQ(pages.answer("POST", "/x", "localhost").status, 405);
}

}  // namespace
}  // namespace weir::dashboard
