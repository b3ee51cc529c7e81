// Every filter on a real exchange: the same request with and without it.

#include "common/base/text.h"
#include "common/features/basic_auth.h"
#include "common/features/body_size.h"
#include "common/features/hsts.h"
#include "common/features/ip_access.h"
#include "common/features/rate_limit.h"
#include "common/features/redirect_https.h"
#include "dataplane/filters/order.h"
#include "tests/unit/dataplane/exchange/exchange_fixture.h"

namespace weir::filters {
namespace {

using codec::BodyLength;
using exchange::FilterPtr;
using namespace std::chrono_literals;

template <typename Feature>
base::Result<FilterPtr> make(const Feature& settings, std::vector<std::string> secrets = {}) {
  const auto policy = model::make_policy(Feature::kStem, Feature::kRevision,
                                         base::encode(settings).to_string(), std::move(secrets));
  for (const exchange::FilterKind& kind : filter_kinds()) {
    if (kind.stem == Feature::kStem) return kind.make(*policy);
  }
  return base::invalid("no such kind");
}

class FiltersTest : public exchange::ExchangeTest {
 protected:
  template <typename Feature>
  void install(const Feature& settings, std::vector<std::string> secrets = {}) {
    auto made = make(settings, std::move(secrets));
    ASSERT_TRUE(made.ok()) << made.error().text;
    const FilterPtr filter = made.value();
    add_route("/",
              [&](exchange::RoutePlan& plan) { plan.filters = exchange::FilterChain({filter}); });
  }
  void fresh() {
    client = exchange::ScriptedStream();
    upstreams.calls.clear();
    done = 0;
  }
  int status() const { return client.copy == nullptr ? 0 : client.copy->status(); }
  transport::TlsFacts tls;
};

TEST(FilterKinds, AreDistinctAndMakeFiltersOfTheirStem) {
  std::string order;
  for (const exchange::FilterKind& kind : filter_kinds()) {
    order += std::string(kind.stem) + " ";
    const auto policy = model::make_policy(kind.stem, kind.revision, "{}", {"u:{SHA}x"});
    const auto made = kind.make(*policy);
    ASSERT_TRUE(made.ok()) << made.error().text;
    EXPECT_EQ(made.value()->stem(), kind.stem);
    EXPECT_FALSE(kind.make(*model::make_policy(kind.stem, kind.revision, "[]")).ok());
  }
  EXPECT_EQ(order,
            "redirect_https auth_tls ip_access rate_limit body_size basic_auth grpc_web hsts ");
}

TEST_F(FiltersTest, RedirectHttpsSendsPlainRequestsToTheSecurePort) {
  struct Case {
    std::string_view name, authority, target;
    features::RedirectHttps settings;
    std::string_view location;
  };
  for (const Case& c : {
           Case{"port left out", "shop.test:8080", "/a?b", {}, "https://shop.test/a?b"},
           Case{"slash stripped", "shop.test", "/a/", {}, "https://shop.test/a"},
           Case{"root", "shop.test", "/", {}, "https://shop.test"},
           Case{"slash kept", "shop.test", "/a/", {308, 443, true}, "https://shop.test/a/"},
           Case{"slash before a query", "shop.test", "/a/?b", {}, "https://shop.test/a/?b"},
           Case{"another port", "shop.test", "/a", {301, 8443, false}, "https://shop.test:8443/a"},
           Case{"two slashes stay a path",
                "shop.test",
                "//evil.test/x",
                {},
                "https://shop.test//evil.test/x"},
       }) {
    SCOPED_TRACE(c.name);
    fresh();
    install(c.settings);
    codec::HeadPtr request = head("GET", c.target, {{"X-Forwarded-Host", "evil.test"}});
    request->set_authority(c.authority);
    begin(std::move(request));
    EXPECT_EQ(status(), c.settings.code);
    EXPECT_EQ(client.field("Location"), c.location);
    EXPECT_TRUE(upstreams.calls.empty());
    fresh();
    facts.tls = &tls;
    get(c.target);
    EXPECT_EQ(upstreams.calls.size(), 1u);
    answer(200, "");
    facts.tls = nullptr;
  }
}

TEST_F(FiltersTest, RedirectHttpsTakesOnlyRedirectCodes) {
  const auto made = make(features::RedirectHttps{300, 443, false});
  ASSERT_FALSE(made.ok());
  EXPECT_NE(made.error().text.find("code: 300 is not 301, 302, 307 or 308"), std::string::npos);
}

TEST_F(FiltersTest, IpAccessServesTheAllowedAndNeverTheDenied) {
  struct Case {
    std::vector<std::string> allow, deny;
    std::string address;
    int want;
  };
  for (const Case& c : {
           Case{{"10.0.0.0/8", "192.0.2.7"}, {}, "10.1.2.3", 0},
           Case{{"10.0.0.0/8", "192.0.2.7"}, {}, "192.0.2.7", 0},
           Case{{"10.0.0.0/8", "192.0.2.7"}, {}, "192.0.2.8", 403},
           Case{{"10.0.0.0/8"}, {}, "::ffff:10.1.2.3", 0},
           Case{{"fd00::/8"}, {}, "fd12::1", 0},
           Case{{"fd00::/8"}, {}, "10.1.2.3", 403},
           Case{{}, {"10.0.0.0/8"}, "10.1.2.3", 403},
           Case{{}, {"10.0.0.0/8"}, "11.1.2.3", 0},
           Case{{"10.0.0.0/8"}, {"10.9.0.0/16"}, "10.9.1.1", 403},
           Case{{"10.0.0.0/8"}, {}, "no address", 403},
       }) {
    SCOPED_TRACE(c.address);
    fresh();
    facts.address = c.address;
    install(features::IpAccess{c.allow, c.deny});
    get("/");
    EXPECT_EQ(status(), c.want);
    EXPECT_EQ(upstreams.calls.size(), c.want == 0 ? 1u : 0u);
    if (c.want == 0) answer(200, "");
  }
  EXPECT_FALSE(make(features::IpAccess{{"10.0.0.0/33"}, {}}).ok());
  EXPECT_FALSE(make(features::IpAccess{{}, {"ten"}}).ok());
}

TEST_F(FiltersTest, RateLimitRefusesWhatComesTooFastFromOneAddress) {
  shared::ClientLimits limits{shared::RateTable(clock.now()), shared::CountTable()};
  context.limits = &limits;
  features::RateLimit settings;
  settings.zone = "shop/cart";
  settings.per_second = 2;
  settings.burst_multiplier = 3;
  settings.rate_status = 429;
  settings.exempt = {"198.51.100.0/24"};
  const auto ask = [&](std::string_view address, int times) {
    int served = 0;
    for (int i = 0; i < times; ++i) {
      fresh();
      facts.address = address;
      get("/");
      if (upstreams.calls.empty()) {
        EXPECT_EQ(status(), 429);
      } else {
        answer(200, "");
        ++served;
      }
    }
    return served;
  };
  install(settings);
  EXPECT_EQ(ask("192.0.2.9", 20), 7) << "the burst of 3 x 2, and the one in time";
  EXPECT_EQ(ask("192.0.2.10", 1), 1) << "another client has its own count";
  EXPECT_EQ(ask("198.51.100.7", 20), 20) << "exempt";
  pass(1s);
  EXPECT_EQ(ask("192.0.2.9", 20), 2);
  settings.zone = "shop/other";
  install(settings);
  EXPECT_EQ(ask("192.0.2.9", 20), 7) << "another Ingress counts apart";
}

TEST_F(FiltersTest, RateLimitCountsTheRequestsThatAreOpen) {
  shared::ClientLimits limits{shared::RateTable(clock.now()), shared::CountTable()};
  context.limits = &limits;
  features::RateLimit settings;
  settings.zone = "shop/cart";
  settings.connections = 1;
  install(settings);
  fresh();
  codec::MessageTarget& first = begin(head("POST", "/"), BodyLength::known(5));
  EXPECT_EQ(upstreams.calls.size(), 1U);
  exchange::ScriptedStream other;
  exchange::start_exchange(context, facts, other, *this)
      .on_head(head("GET", "/"), BodyLength::none());
  ASSERT_NE(other.copy, nullptr);
  EXPECT_EQ(other.copy->status(), 503);
  first.on_reset({base::ErrorKind::kClosed, base::Origin::kClient, false, "gone"});
  fresh();
  get("/");
  EXPECT_EQ(upstreams.calls.size(), 1U) << "a client that left counts no more";
  answer(200, "");
}

TEST_F(FiltersTest, BodySizeRefusesByLengthBeforeAnythingIsSent) {
  for (const auto& [most, bytes, want] : std::vector<std::tuple<std::uint64_t, std::uint64_t, int>>{
           {10, 10, 0}, {10, 11, 413}, {0, 1'000'000'000, 0}}) {
    fresh();
    install(features::BodySize{most});
    codec::MessageTarget& request = begin(head("POST", "/"), BodyLength::known(bytes));
    EXPECT_EQ(status(), want);
    EXPECT_EQ(upstreams.calls.size(), want == 0 ? 1u : 0u);
    if (want == 0) {
      request.on_reset({base::ErrorKind::kClosed, base::Origin::kClient, false, "gone"});
    }
  }
}

TEST_F(FiltersTest, BodySizeCountsWhatComesWithoutALength) {
  install(features::BodySize{10});
  for (const bool started : {false, true}) {
    fresh();
    codec::MessageTarget& request = begin(head("POST", "/"), BodyLength::unknown());
    request.on_data(worker::Slice::borrowed("12345"));
    request.on_data(worker::Slice::borrowed("67890"));
    EXPECT_EQ(status(), 0);
    if (started) call().response->on_head(response(200), BodyLength::unknown());
    request.on_data(worker::Slice::borrowed("!"));
    EXPECT_EQ(status(), started ? 200 : 413);
    EXPECT_EQ(client.was_reset.empty(), !started);
    EXPECT_EQ(call().stream->body, "1234567890");
  }
}

TEST_F(FiltersTest, HstsIsSaidOverTlsOnlyAndOnOurPagesToo) {
  struct Case {
    features::Hsts settings;
    bool secure;
    std::string_view want;
  };
  for (const Case& c :
       {Case{{}, true, "max-age=31536000; includeSubDomains"},
        Case{{60s, false, true}, true, "max-age=60; preload"}, Case{{}, false, "none"}}) {
    fresh();
    facts.tls = c.secure ? &tls : nullptr;
    install(c.settings);
    get("/");
    call().response->on_head(response(200, {{"Strict-Transport-Security", "max-age=1"}}),
                             BodyLength::none());
    call().response->on_end();
    EXPECT_EQ(client.field("Strict-Transport-Security"), c.secure ? c.want : "max-age=1");
    fresh();
    upstreams.script.assign(1, {exchange::ScriptedUpstreams::Does::kNothing, false});
    get("/");
    EXPECT_EQ(status(), 503);
    EXPECT_EQ(client.field("Strict-Transport-Security"), c.want);
    upstreams.script.clear();
  }
}

class BasicAuthTest : public FiltersTest {
 protected:
  // "secret", as htpasswd -B writes it, and as htpasswd -s does.
  static constexpr std::string_view kBcrypt =
      "$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a";
  static constexpr std::string_view kSha = "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=";

  void try_login(std::string_view credentials) {
    fresh();
    std::vector<std::pair<std::string, std::string>> fields;
    if (!credentials.empty()) {
      fields.emplace_back("Authorization", "Basic " + base::base64_encode(credentials));
    }
    begin(head("GET", "/", fields));
  }
  // True when the offload pool was asked.
  bool wait_for_verdict() {
    const bool waits = context.local.waits.waiting() > 0;
    for (int i = 0; i < 2000 && context.local.waits.waiting() > 0; ++i) {
      worker.loop().run_once(5ms);
    }
    return waits;
  }
};

TEST_F(BasicAuthTest, LetsInWhoKnowsThePassword) {
  struct Case {
    std::string_view name, credentials;
    int status;
  };
  install(features::BasicAuth{"a \"b\" \\ \n"},
          {"amy:" + std::string(kBcrypt) + "\nbob:" + std::string(kSha)});
  for (const Case& c : {Case{"nothing sent", "", 401}, Case{"bcrypt", "amy:secret", 0},
                        Case{"bcrypt, wrong", "amy:Secret", 401}, Case{"SHA", "bob:secret", 0},
                        Case{"SHA, wrong", "bob:x", 401}, Case{"unknown", "eve:secret", 401},
                        Case{"no colon", "amy", 401}}) {
    SCOPED_TRACE(c.name);
    try_login(c.credentials);
    wait_for_verdict();
    EXPECT_EQ(status(), c.status);
    if (c.status == 401) {
      EXPECT_EQ(client.field("WWW-Authenticate"), "Basic realm=\"a \\\"b\\\" \\\\ \"");
      EXPECT_TRUE(upstreams.calls.empty());
    } else {
      EXPECT_EQ(call().stream->field("Authorization"), "none");
      answer(200, "");
      EXPECT_EQ(records.user, c.credentials.substr(0, 3));
    }
  }
}

TEST_F(BasicAuthTest, RemembersAVerdictUntilTheSecretChanges) {
  install(features::BasicAuth{"r1"}, {"amy:" + std::string(kBcrypt)});
  try_login("amy:secret");
  EXPECT_TRUE(wait_for_verdict());
  answer(200, "");
  try_login("amy:secret");
  EXPECT_FALSE(wait_for_verdict());
  EXPECT_EQ(upstreams.calls.size(), 1u);
  answer(200, "");
  pass(61s);
  try_login("amy:secret");
  EXPECT_TRUE(wait_for_verdict());
  answer(200, "");
  install(features::BasicAuth{"r2"}, {"amy:" + std::string(kBcrypt)});
  try_login("amy:secret");
  EXPECT_TRUE(wait_for_verdict());
  answer(200, "");
}

TEST_F(BasicAuthTest, AClientThatLeavesCancelsTheVerification) {
  install(features::BasicAuth{"r3"}, {"amy:" + std::string(kBcrypt)});
  fresh();
  codec::MessageTarget& request =
      begin(head("GET", "/", {{"Authorization", "Basic " + base::base64_encode("amy:secret")}}));
  request.on_reset({base::ErrorKind::kClosed, base::Origin::kClient, false, "gone"});
  EXPECT_EQ(done, 1);
  EXPECT_FALSE(wait_for_verdict());
  for (int i = 0; i < 20; ++i) worker.loop().run_once(1ms);
  EXPECT_TRUE(upstreams.calls.empty());
}

TEST_F(BasicAuthTest, BrokenUsersMakeNoFilter) {
  for (const std::vector<std::string>& secrets :
       std::vector<std::vector<std::string>>{{}, {""}, {"amy:plaintext"}, {"amy"}}) {
    const auto made = make(features::BasicAuth{"r"}, secrets);
    ASSERT_FALSE(made.ok());
    EXPECT_TRUE(made.error().text.starts_with("policy basic_auth/")) << made.error().text;
  }
}

}  // namespace
}  // namespace weir::filters
