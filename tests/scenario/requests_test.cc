// What happens to a request on its way: certificates, redirects, limits, passwords and headers.

#include <gtest/gtest.h>

#include "common/base/text.h"
#include "tests/scenario/harness/stage.h"

namespace weir::scenario {
namespace {

TEST(Requests, ServerNameChoosesTheCertificateAndBrokenSecretsFallBackToTheDefault) {
  Stage stage;
  stage.serve("a", {"a"});
  const auto shop = make_certificate({"shop.test"});
  const auto wild = make_certificate({"*.wild.test"});
  const auto standard = make_certificate({"default.test"});
  const auto other = make_certificate({"mismatch.test"});
  stage.files["secrets.yaml"] = tls_secret("shop", shop) + tls_secret("wild", wild) +
                                tls_secret("standard", standard) +
                                tls_secret("mismatch", {other.certificate, shop.key});
  const auto rule = [](const std::string& name, const std::string& host,
                       const std::string& secret) {
    return ingress({.name = name,
                    .rules = {{host, {{.service = "a"}}}},
                    .secret = secret,
                    .tls_hosts = {host}});
  };
  stage.files["ingress.yaml"] =
      rule("shop", "shop.test", "shop") + rule("wild", "*.wild.test", "wild") +
      rule("mismatch", "mismatch.test", "mismatch") + rule("missing", "missing.test", "nowhere");
  Weir weir(stage.files, {.controller_args = {"--default-ssl-certificate=default/standard"}});
  ASSERT_TRUE(weir.ready());
  struct Case {
    const char* sni;
    const crypto::PemPair& want;
  };
  for (const Case& c : {Case{"shop.test", shop}, Case{"SHOP.test", shop}, Case{"x.wild.test", wild},
                        Case{"mismatch.test", standard}, Case{"missing.test", standard},
                        Case{"unknown.test", standard}, Case{"", standard}}) {
    SCOPED_TRACE(c.sni);
    Client client(weir.https(c.sni));
    ASSERT_TRUE(client.connect());
    EXPECT_EQ(client.certificate(), fingerprint_of(c.want));
  }
  const Answer answer = ask_once(weir.https("shop.test"), {.host = "shop.test"});
  EXPECT_EQ(answer.status, 200) << answer.to_string();
  EXPECT_NE(answer.message.find("Strict-Transport-Security").find("max-age="), std::string::npos)
      << answer.to_string();
  const std::string reports = weir.admin(weir.controller_admin_port(), "/reports");
  for (const char* name : {"mismatch", "missing"}) {
    EXPECT_NE(reports.find(name), std::string::npos) << name << " is not told\n" << reports;
  }
  // Mended: the next handshake has it, and a session from before lives on.
  Client before(weir.https("mismatch.test"));
  ASSERT_TRUE(before.connect());
  const auto late = make_certificate({"missing.test"});
  ASSERT_TRUE(weir.change("mended.yaml", tls_secret("nowhere", late)));
  Client after(weir.https("missing.test"));
  ASSERT_TRUE(after.connect());
  EXPECT_EQ(after.certificate(), fingerprint_of(late));
  EXPECT_EQ(before.ask({.host = "mismatch.test"}).status, 200);
}

TEST(Requests, AHostWithTlsRedirectsPlainHttp) {
  Stage stage;
  stage.serve("a", {"a"});
  stage.files["secret.yaml"] = tls_secret("shop", make_certificate({"shop.test"}));
  stage.files["ingress.yaml"] =
      ingress({.name = "shop",
               .rules = {{"shop.test", {{.service = "a"}}}},
               .secret = "shop",
               .tls_hosts = {"shop.test"}}) +
      ingress({.name = "stays",
               .rules = {{"shop.test", {{.path = "/plain", .service = "a"}}}},
               .annotations = {{"ssl-redirect", "false"}}}) +
      ingress({.name = "forced",
               .rules = {{"forced.test", {{.service = "a"}}}},
               .annotations = {{"force-ssl-redirect", "true"}}});
  Weir weir(stage.files);
  ASSERT_TRUE(weir.ready());
  const std::string port = ":" + std::to_string(weir.https_port());
  struct Case {
    const char* method;
    const char* host;
    const char* target;
    int status;
    std::string location;
  };
  for (const Case& c :
       {Case{"GET", "shop.test", "/cart?x=1", 308, "https://shop.test" + port + "/cart?x=1"},
        Case{"POST", "shop.test", "/cart", 308, "https://shop.test" + port + "/cart"},
        // ingress-nginx takes the trailing slash away unless it is told otherwise.
        Case{"GET", "forced.test", "/", 308, "https://forced.test" + port},
        Case{"GET", "shop.test", "/plain", 200, ""}}) {
    SCOPED_TRACE(std::string(c.method) + " " + c.host + c.target);
    const Answer answer =
        ask_once(weir.http(), {.method = c.method, .target = c.target, .host = c.host});
    EXPECT_EQ(answer.status, c.status) << answer.to_string();
    EXPECT_EQ(answer.message.find("Location"), c.location);
    EXPECT_FALSE(answer.message.has("Strict-Transport-Security")) << "HSTS over plain HTTP";
  }
}

TEST(Requests, ABodyOverTheLimitIs413AndNeverReachesABackendWhole) {
  Stage stage;
  stage.serve("a", {"a"});
  stage.files["ingress.yaml"] = simple_ingress("standard", "a.test", "a") +
                                ingress({.name = "small",
                                         .rules = {{"small.test", {{.service = "a"}}}},
                                         .annotations = {{"proxy-body-size", "1k"}}}) +
                                ingress({.name = "open",
                                         .rules = {{"open.test", {{.service = "a"}}}},
                                         .annotations = {{"proxy-body-size", "0"}}});
  Weir weir(stage.files);
  ASSERT_TRUE(weir.ready());
  struct Case {
    const char* host;
    std::size_t size;
    bool chunked;
    int status;
  };
  constexpr std::size_t kMegabyte = 1024 * 1024;
  for (const Case& c :
       {Case{"a.test", kMegabyte, false, 200}, Case{"a.test", kMegabyte + 1, false, 413},
        Case{"a.test", kMegabyte, true, 200}, Case{"a.test", kMegabyte + 1, true, 413},
        Case{"small.test", 1024, false, 200}, Case{"small.test", 1025, false, 413},
        Case{"small.test", 1025, true, 413}, Case{"open.test", 2 * kMegabyte, false, 200}}) {
    SCOPED_TRACE(std::string(c.host) + " " + std::to_string(c.size) +
                 (c.chunked ? " chunked" : ""));
    const std::uint64_t served = stage.backends.served("a");
    const std::string body = pattern(c.size);
    const Answer answer = ask_once(
        weir.http(), {.method = "POST", .host = c.host, .body = body, .chunked = c.chunked});
    EXPECT_EQ(answer.status, c.status) << answer.to_string();
    EXPECT_EQ(stage.backends.served("a") - served, c.status == 200 ? 1U : 0U);
    if (c.status == 200) {
      EXPECT_NE(answer.message.body.find("sum=" + sum_of(body)), std::string::npos)
          << "bytes differ";
    }
  }
}

TEST(Requests, APasswordIsAskedForAndABrokenSecretLocksTheDoor) {
  Stage stage;
  stage.serve("a", {"a"});
  // "pass" as SHA-1 and, for bob, as bcrypt.
  stage.files["secret.yaml"] =
      opaque_secret("users", {{"auth", "ann:{SHA}nU4eI71bcnBGqeO0t9tXvY1u5oQ=\n"}});
  const auto guarded = [](const std::string& host, const std::string& secret) {
    return ingress(
        {.name = "guard-" + secret,
         .rules = {{host, {{.service = "a"}}}},
         .annotations = {
             {"auth-type", "basic"}, {"auth-secret", secret}, {"auth-realm", "Members only"}}});
  };
  stage.files["ingress.yaml"] =
      guarded("guarded.test", "users") + guarded("locked.test", "nowhere");
  Weir weir(stage.files);
  ASSERT_TRUE(weir.ready());
  const auto ask = [&](const std::string& host, const std::string& user) {
    Request request{.host = host};
    if (!user.empty()) {
      request.fields.emplace_back("Authorization", "Basic " + base::base64_encode(user));
    }
    return ask_once(weir.http(), request);
  };
  const Answer nobody = ask("guarded.test", "");
  EXPECT_EQ(nobody.status, 401);
  EXPECT_EQ(nobody.message.find("WWW-Authenticate"), "Basic realm=\"Members only\"");
  EXPECT_EQ(ask("guarded.test", "ann:wrong").status, 401);
  EXPECT_EQ(ask("guarded.test", "eve:pass").status, 401);
  EXPECT_EQ(stage.backends.served("a"), 0U);
  EXPECT_EQ(ask("guarded.test", "ann:pass").status, 200);
  EXPECT_EQ(ask("locked.test", "ann:pass").status, 503) << "a missing Secret must fail closed";
  EXPECT_EQ(stage.backends.served("a"), 1U);
}

TEST(Requests, ForwardedHeadersAreOursAndHopByHopHeadersEndHere) {
  Stage stage;
  stage.serve("a", {"a"});
  stage.files["ingress.yaml"] = simple_ingress("a", "a.test", "a");
  Weir weir(stage.files);
  ASSERT_TRUE(weir.ready());
  const Answer answer = ask_once(weir.http(), {.host = "a.test",
                                               .fields = {{"X-Forwarded-For", "6.6.6.6"},
                                                          {"X_Forwarded_For", "6.6.6.7"},
                                                          {"X-Forwarded-Proto", "https"},
                                                          {"X-Real-IP", "6.6.6.8"},
                                                          {"Connection", "X-Secret, X-Real-IP"},
                                                          {"X-Secret", "hop"},
                                                          {"Keep-Alive", "timeout=5"},
                                                          {"Proxy", "http://evil.test"},
                                                          {"TE", "trailers"},
                                                          {"X-Mine", "Kept As It Is"}}});
  ASSERT_EQ(answer.status, 200) << answer.to_string();
  const Message seen = stage.backends.last_request("a");
  struct Field {
    const char* name;
    std::string want;
  };
  for (const Field& f :
       {Field{"X-Forwarded-For", "127.0.0.1"}, Field{"X-Forwarded-Host", "a.test"},
        Field{"X-Forwarded-Proto", "http"}, Field{"X-Forwarded-Scheme", "http"},
        Field{"X-Forwarded-Port", std::to_string(weir.http_port())},
        Field{"X-Real-IP", "127.0.0.1"}, Field{"X-Original-Forwarded-For", "6.6.6.6"},
        Field{"Host", "a.test"}, Field{"X-Mine", "Kept As It Is"}}) {
    EXPECT_EQ(seen.count(f.name), 1) << f.name;
    EXPECT_EQ(seen.find(f.name), f.want) << f.name;
  }
  EXPECT_EQ(seen.find("X-Request-ID").size(), 32U) << format_fields(seen);
  for (const char* name : {"X-Secret", "Keep-Alive", "Proxy", "X_Forwarded_For", "Forwarded"}) {
    EXPECT_FALSE(seen.has(name)) << name << "\n" << format_fields(seen);
  }
  ask_once(weir.http(), {.fields = {{"X-Request-ID", "given-by-the-client-1"}}});
  EXPECT_EQ(stage.backends.last_request("a").find("X-Request-ID"), "given-by-the-client-1");
}

TEST(Requests, EveryRequestLeavesOneLineInTheAccessLogAndCounts) {
  Stage stage;
  stage.serve("a", {"a"});
  stage.files["ingress.yaml"] = simple_ingress("a", "a.test", "a");
  Weir weir(stage.files);
  ASSERT_TRUE(weir.ready());
  Client client(weir.http());
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(client.ask({.target = "/logged/" + std::to_string(i)}).status, 200);
  }
  const auto lines = [&weir] {
    int n = 0;
    const std::string text = weir.access_log();
    for (std::size_t at = 0; (at = text.find("/logged/", at)) != std::string::npos; ++at) ++n;
    return n;
  };
  EXPECT_TRUE(eventually([&] { return lines() == 20; })) << lines() << " lines";
  EXPECT_TRUE(eventually([&] {
    return weir.metric(weir.admin_port(), "nginx_ingress_controller_requests", "ingress=\"a\"") ==
           20;
  })) << weir.admin(weir.admin_port(), "/metrics").substr(0, 3'000);
}

}  // namespace
}  // namespace weir::scenario
