// Policies per route and per backend, and those that this dataplane does not know.

#include <gtest/gtest.h>

#include <map>

#include "common/features/basic_auth.h"
#include "common/features/body_size.h"
#include "common/features/hsts.h"
#include "common/features/redirect_https.h"
#include "tests/push/stage.h"

namespace weir::push {
namespace {

using model::make_resource;
using model::ResourcePtr;

template <typename Feature>
ResourcePtr policy_of(const Feature& settings, std::vector<std::string> secrets = {}) {
  return model::make_policy(Feature::kStem, Feature::kRevision, base::encode(settings).to_string(),
                            std::move(secrets));
}

class PushPolicies : public testing::Test {
 protected:
  int post(std::size_t size) {
    Client client(stage.door());
    client.send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: " + std::to_string(size) +
                "\r\n\r\n" + std::string(size, 'x'));
    return client.read().status;
  }
  // Statuses of `times` requests.
  std::map<int, int> statuses(int times, const std::string& fields = {}) {
    std::map<int, int> out;
    for (int i = 0; i < times; ++i) ++out[stage.get("/", fields).status];
    return out;
  }
  Stage stage;
  model::Route route = make_route("root", "/", "aa");
  const ResourcePtr small = policy_of(features::BodySize{10});
  const ResourcePtr login =
      policy_of(features::BasicAuth{"here"}, {"ann:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=\n"});
  const std::string as_ann = "Authorization: Basic YW5uOnRlc3Q=\r\n";  // ann:test
};

TEST_F(PushPolicies, APolicyOfTheRouteMeetsEveryRequest) {
  EXPECT_EQ(post(100), 200);
  route.policies = {small->key.name};
  stage.must_push({small, make_resource(route)});
  EXPECT_EQ(post(100), 413);
  EXPECT_EQ(post(10), 200);
  route.policies = {small->key.name, login->key.name};
  stage.must_push({login, make_resource(route)});
  EXPECT_EQ(stage.get("/").status, 401);
  EXPECT_EQ(stage.get("/").field("WWW-Authenticate").find("Basic realm=\"here\""), 0U);
  EXPECT_EQ(stage.get("/", as_ann).status, 200);
  route.policies = {};
  stage.must_push({make_resource(route)}, {small->key, login->key});
  EXPECT_EQ(post(100), 200);
}

TEST_F(PushPolicies, ARedirectNamesThePublicHttpsPort) {
  features::RedirectHttps settings;
  settings.port = 8443;
  settings.code = 307;
  const ResourcePtr redirect = policy_of(settings);
  route.policies = {redirect->key.name};
  stage.must_push({redirect, make_resource(route)});
  const Answer answer = stage.get("/x?y");
  EXPECT_EQ(answer.status, 307);
  EXPECT_EQ(answer.field("Location"), "https://a.test:8443/x?y");
}

TEST_F(PushPolicies, APolicyOfOneBackendMeetsItsShareOnly) {
  route.backends = {{"aa", 1, false, "", {login->key.name}}, {"bb", 1, false, "", {}}};
  stage.must_push({login, make_resource(route)});
  EXPECT_EQ(statuses(20), (std::map<int, int>{{200, 10}, {401, 10}}));
  EXPECT_EQ(stage.aa.served(), 0U);
  EXPECT_EQ(statuses(20, as_ann), (std::map<int, int>{{200, 20}}));
  route.backends[0].policies = {small->key.name};
  stage.must_push({small, make_resource(route)});
  std::map<int, int> seen;
  for (int i = 0; i < 20; ++i) ++seen[post(100)];
  EXPECT_EQ(seen, (std::map<int, int>{{200, 10}, {413, 10}}));
}

struct Unknown {
  std::string name;
  ResourcePtr policy;
};

std::vector<Unknown> unknown_policies() {
  return {{"a made-up stem", model::make_policy("teleport", 1, "{}")},
          {"a made-up revision", model::make_policy("body_size", 99, "{}")},
          {"a later value of a field",
           model::make_policy("redirect_https", 1, "{\"code\":\"later\"}")}};
}

TEST_F(PushPolicies, AnUnknownPolicyFailsClosedAndHarmsNobodyElse) {
  for (const Unknown& unknown : unknown_policies()) {
    SCOPED_TRACE(unknown.name);
    model::Route guarded = make_route("guarded", "/guarded", "aa");
    guarded.policies = {unknown.policy->key.name};
    const Verdict verdict = stage.controller->push({unknown.policy, make_resource(guarded)});
    ASSERT_TRUE(verdict.answered && verdict.applied) << verdict.to_string();
    EXPECT_NE(
        verdict.why(ResourceType::kRoute, "main/a.test/guarded").find(unknown.policy->key.name),
        std::string::npos)
        << verdict.to_string();
    EXPECT_EQ(verdict.reasons.size(), 1U) << verdict.to_string();
    EXPECT_EQ(stage.get("/guarded").status, 503);
    EXPECT_EQ(stage.get("/").status, 200);
    stage.must_push({}, {{ResourceType::kRoute, "main/a.test/guarded"}, unknown.policy->key});
    EXPECT_EQ(stage.get("/guarded").status, 200);
  }
  EXPECT_EQ(field_of(stage.aa.last(), "Host"), "a.test");
}

TEST_F(PushPolicies, AnUnknownPolicyOfOneBackendFailsClosed) {
  for (const Unknown& unknown : unknown_policies()) {
    SCOPED_TRACE(unknown.name);
    route.backends = {{"aa", 1, false, "", {unknown.policy->key.name}}, {"bb", 1, false, "", {}}};
    const Verdict verdict = stage.controller->push({unknown.policy, make_resource(route)});
    ASSERT_TRUE(verdict.answered && verdict.applied) << verdict.to_string();
    EXPECT_NE(verdict.why(ResourceType::kRoute, "main/a.test/root"), "");
    const std::size_t before = stage.aa.served();
    EXPECT_EQ(statuses(10).count(503), 1U);
    EXPECT_EQ(stage.aa.served(), before) << "nothing reaches the backend without its policy";
  }
}

TEST_F(PushPolicies, APolicyThatIsNotThereFailsClosedUntilItComes) {
  route.policies = {small->key.name};
  const Verdict verdict = stage.controller->push({make_resource(route)});
  ASSERT_TRUE(verdict.answered && verdict.applied) << verdict.to_string();
  EXPECT_NE(verdict.why(ResourceType::kRoute, "main/a.test/root"), "");
  EXPECT_EQ(stage.get("/").status, 503);
  stage.must_push({small});
  EXPECT_EQ(post(5), 200);
  EXPECT_EQ(post(50), 413);
}

TEST_F(PushPolicies, HelloNamesEveryFeatureThatIsImplemented) {
  std::map<std::string, unsigned> revisions;
  for (const auto& feature : stage.controller->hello().features) {
    revisions[feature.stem] = feature.revision;
  }
  using namespace features;
  EXPECT_EQ(revisions[std::string(BasicAuth::kStem)], BasicAuth::kRevision);
  EXPECT_EQ(revisions[std::string(BodySize::kStem)], BodySize::kRevision);
  EXPECT_EQ(revisions[std::string(Hsts::kStem)], Hsts::kRevision);
  EXPECT_EQ(revisions[std::string(RedirectHttps::kStem)], RedirectHttps::kRevision);
}

}  // namespace
}  // namespace weir::push
