#include "dataplane/exchange/placement.h"

#include "tests/unit/dataplane/exchange/exchange_fixture.h"

namespace weir::exchange {
namespace {

using codec::BodyLength;
using Does = ScriptedUpstreams::Does;

class PlacementTest : public ExchangeTest {
 protected:
  std::string key(std::string_view text, const codec::Head& request) {
    const auto parsed = model::KeyTemplate::parse(text);
    return parsed.ok() ? key_of(parsed.value(), request, facts) : "! " + parsed.error().text;
  }
  void add_session_route(const std::function<void(model::SessionCookie&)>& edit = {}) {
    add_route("/", [&](RoutePlan& plan) {
      auto placement = std::make_unique<Placement>();
      placement->cookie.emplace();
      if (edit) edit(*placement->cookie);
      plan.placement = std::move(placement);
      plan.backends[0].session_tag = "tag";
    });
  }
  void ask(const std::vector<std::pair<std::string, std::string>>& fields = {}) {
    begin(head("GET", "/", fields)).on_end();
  }
};

TEST_F(PlacementTest, AKeyIsMadeFromTheRequest) {
  facts.peer = base::SocketAddress::parse("192.0.2.9", 4711).value();
  const auto request = head("GET", "/a%20b?User=7&x=1",
                            {{"X-User-Id", "42"}, {"Cookie", "a=1; sid=s3cret; sidx=2"}});
  struct Case {
    std::string_view text, want;
  };
  for (const Case& c :
       {Case{"$request_uri", "/a%20b?User=7&x=1"}, Case{"$uri", "/a b"},
        Case{"$args", "User=7&x=1"}, Case{"$host", "shop.test"}, Case{"$remote_addr", "192.0.2.9"},
        Case{"$binary_remote_addr", "\xc0\0\2\t"}, Case{"$scheme/$request_method", "http/GET"},
        Case{"$server_port", "8080"}, Case{"$arg_user", "7"}, Case{"$arg_none", ""},
        Case{"$http_x_user_id", "42"}, Case{"$http_host", "shop.test"},
        Case{"$cookie_sid", "s3cret"}, Case{"$cookie_si", ""}, Case{"<${arg_x}>", "<1>"}}) {
    const std::string_view want =
        c.text == "$binary_remote_addr" ? std::string_view("\xc0\0\2\t", 4) : c.want;
    EXPECT_EQ(key(c.text, *request), want) << c.text;
  }
}

// The bytes of ingress-nginx for backend "shop-cart-80".
TEST_F(PlacementTest, ASessionsTagIsIngressNginxs) {
  EXPECT_EQ(session_tag("shop/cart/80"), "210a2307f4fe9110ec03fecd033b51b0");
  EXPECT_EQ(session_tag("shop/cart/80#0123456789ab"), session_tag("shop/cart/80"));
  EXPECT_EQ(session_key("INGRESSCOOKIE",
                        *head("GET", "/", {{"Cookie", "x=1; INGRESSCOOKIE=17.1.2.3|tag; y=2"}})),
            "17.1.2.3");
  EXPECT_EQ(session_key("INGRESSCOOKIE", *head("GET", "/", {{"Cookie", "INGRESSCOOKIE=alone"}})),
            "alone");
  EXPECT_EQ(session_key("INGRESSCOOKIE", *head("GET", "/", {{"Cookie", "INGRESSCOOKIES=a|b"}})),
            "");
}

TEST_F(PlacementTest, TheCookieHasTheAttributesThatWereAsked) {
  model::SessionCookie cookie;
  SessionFacts session;
  session.key = "k";
  session.tag = "t";
  EXPECT_EQ(session_cookie(cookie, session), "INGRESSCOOKIE=k|t; Path=/; HttpOnly");
  session.tls = true;
  EXPECT_EQ(session_cookie(cookie, session), "INGRESSCOOKIE=k|t; Path=/; Secure; HttpOnly");
  cookie.name = "sid";
  cookie.path = "/shop";
  cookie.domain = "shop.test";
  cookie.expires = 60;
  cookie.max_age = 120;
  cookie.same_site = model::SameSite::kNone;
  cookie.partitioned = true;
  session.now = base::WallTime(std::chrono::seconds(784'111'717));
  const std::string whole =
      "sid=k|t; Expires=Sun, 06 Nov 1994 08:49:37 GMT; Max-Age=120; Domain=shop.test; "
      "Path=/shop; Secure; HttpOnly; SameSite=None; Partitioned";
  EXPECT_EQ(session_cookie(cookie, session), whole);
  session.user_agent = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_6) Version/12.1 Safari/605";
  EXPECT_EQ(session_cookie(cookie, session), whole) << "only where it is conditional";
  cookie.conditional_none = true;
  EXPECT_EQ(session_cookie(cookie, session).find("SameSite"), std::string::npos);
  session.user_agent = "Mozilla/5.0 Chrome/120.0";
  EXPECT_EQ(session_cookie(cookie, session), whole);
}

TEST_F(PlacementTest, ARouteWithAKeyAsksForItsPlace) {
  add_route("/", [](RoutePlan& plan) {
    auto placement = std::make_unique<Placement>();
    placement->key = model::KeyTemplate::parse("$http_x_user").value();
    plan.placement = std::move(placement);
  });
  ask({{"X-User", "ann"}});
  answer(200, "");
  EXPECT_EQ(upstreams.keys, std::vector<std::string>{"ann"});
  EXPECT_EQ(client.field("Set-Cookie"), "none");
}

TEST_F(PlacementTest, AClientWithoutCookieGetsOneAndKeepsItsPlaceOverARetry) {
  add_session_route();
  upstreams.script = {{Does::kFails, false}};
  ask();
  answer(200, "", 1);
  ASSERT_EQ(upstreams.keys.size(), 2U);
  EXPECT_EQ(upstreams.keys[0], upstreams.keys[1]) << "a session stays where it is";
  EXPECT_EQ(client.field("Set-Cookie"),
            "INGRESSCOOKIE=" + upstreams.keys[0] + "|tag; Path=/; HttpOnly");
}

TEST_F(PlacementTest, AClientWithACookieIsTakenThereAndGetsNoOther) {
  add_session_route();
  ask({{"Cookie", "INGRESSCOOKIE=17.1.2.3|tag"}});
  answer(200, "");
  EXPECT_EQ(upstreams.keys, std::vector<std::string>{"17.1.2.3"});
  EXPECT_EQ(client.field("Set-Cookie"), "none");
}

TEST_F(PlacementTest, ASessionWhoseEndpointIsGoneBeginsAnew) {
  add_session_route([](model::SessionCookie& cookie) { cookie.change_on_failure = true; });
  upstreams.exact = false;
  ask({{"Cookie", "INGRESSCOOKIE=17.1.2.3|tag"}});
  answer(200, "");
  EXPECT_EQ(upstreams.keys.size(), 21U)
      << "looks for a key whose endpoint is well, but not for ever";
  EXPECT_NE(client.field("Set-Cookie").find(upstreams.keys.back() + "|tag"), std::string::npos);
}

TEST_F(PlacementTest, AFullClusterAnswers503AndSaysWhy) {
  add_route("/");
  upstreams.refuses = upstream::Refusal::kRequests;
  get("/");
  EXPECT_EQ(client.copy->status(), 503);
  EXPECT_EQ(records.error, "circuit limit: requests in flight");
}

}  // namespace
}  // namespace weir::exchange
