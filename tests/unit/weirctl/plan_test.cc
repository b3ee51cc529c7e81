#include "weirctl/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "weirctl/places.h"

namespace weir::weirctl {
namespace {

using ::testing::HasSubstr;

model::Route route(const std::string& host, const std::string& path, const std::string& owner) {
  model::Route out;
  out.table = "main";
  out.host = host;
  out.id = path;
  out.match.path.value = path;
  out.backends.emplace_back().cluster = owner + "/80";
  out.provenance = {"Ingress", "ns", owner, "spec"};
  return out;
}

struct Made {
  Configuration configuration;
  void add(model::Route of) {
    configuration.endpoints[of.backends.front().cluster].push("10.0.0.1:80");
    routing::RouteTable& table = configuration.tables["main"];
    table = table.with_route(std::make_shared<routing::RouteTarget>(std::move(of))).value();
  }
  void certificate(const std::string& host, const std::string& name, const std::string& print) {
    model::Host declared;
    declared.table = "main";
    declared.name = host;
    declared.certificates = {name};
    routing::RouteTable& table = configuration.tables["main"];
    table = table.with_host(declared);
    configuration.certificates[name].set("fingerprint", print);
  }
};

TEST(Plan, ACertificateThatGoesIsALossAndARenewedOneIsNot) {
  Made before, after;
  for (Made* one : {&before, &after}) one->add(route("a.test", "/", "web"));
  before.certificate("a.test", "ns/tls", "1111");
  Plan plan = make_plan(before.configuration, after.configuration);
  EXPECT_TRUE(plan.loses);
  EXPECT_THAT(plan_text(plan),
              HasSubstr("certificate lost: a.test; until now ns/tls 1111; then none"));
  after.certificate("a.test", "ns/tls", "2222");
  plan = make_plan(before.configuration, after.configuration);
  EXPECT_FALSE(plan.loses);
  EXPECT_THAT(plan_text(plan),
              HasSubstr("certificate changed: a.test; until now ns/tls 1111; then ns/tls 2222"));
}

TEST(Plan, ARequestIsMadeForEachCondition) {
  Made made;
  model::Route special = route("*.a.test", "/x", "special");
  special.id = "special";
  special.match.method = "POST";
  special.match.headers = {{"X-One", model::ValueKind::kExact, "1"}};
  special.match.query = {{"q", model::ValueKind::kExact, "2"}};
  made.add(route("*.a.test", "/x", "plain"));
  made.add(special);
  const auto taker = taker_of(made.configuration, special);
  ASSERT_TRUE(taker && *taker != nullptr);
  EXPECT_EQ(owner_of(**taker), "Ingress ns/special");
  EXPECT_EQ(place_text(special), "*.a.test prefix /x, method POST, header X-One = 1, query q = 2");
  special.match.path.kind = model::PathKind::kRegex;
  EXPECT_FALSE(taker_of(made.configuration, special).has_value());
}

TEST(Plan, ASettingThatChangesIsNamedAndLosesNothing) {
  Made before, after;
  before.configuration.settings =
      base::Json::parse(R"({"http2Streams":128,"tracing":{"service":"weir"}})").value();
  after.configuration.settings =
      base::Json::parse(R"({"http2Streams":64,"tracing":{"service":"edge"}})").value();
  const Plan plan = make_plan(before.configuration, after.configuration);
  EXPECT_FALSE(plan.loses);
  EXPECT_THAT(plan_text(plan),
              HasSubstr("setting changed: http2Streams: 128 -> 64\n"
                        "setting changed: tracing.service: \"weir\" -> \"edge\"\n"));
  after.configuration.settings = base::Json();
  EXPECT_THAT(plan_text(make_plan(before.configuration, after.configuration)),
              HasSubstr("nothing changes"))
      << "a dump does not say them";
}

TEST(Plan, AListenerThatGoesIsALoss) {
  Made before, after;
  before.configuration.listeners["tcp-5432"].name = "tcp-5432";
  const Plan plan = make_plan(before.configuration, after.configuration);
  EXPECT_TRUE(plan.loses);
  EXPECT_THAT(plan_text(plan), HasSubstr("listener lost: tcp-5432"));
  EXPECT_FALSE(make_plan(after.configuration, before.configuration).loses);
}

TEST(Plan, WhatCouldNotBeSeenIsSaid) {
  Made made;
  made.configuration.not_seen["Secret shop/tls"] = "forbidden";
  EXPECT_THAT(plan_text(make_plan(made.configuration, made.configuration)),
              HasSubstr("not seen: Secret shop/tls: forbidden"));
}

}  // namespace
}  // namespace weir::weirctl
