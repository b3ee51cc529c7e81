#include "controller/admin/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/policies/settings_overlay.h"

namespace weir::admin {
namespace {

using ::testing::HasSubstr;

base::Result<ingress::Config> config_of(const std::vector<std::string>& argv) {
  Options options;
  base::Flags flags("weir-controller", "test");
  add_flags(flags, options);
  auto parsed = flags.parse(argv);
  if (!parsed.ok()) return std::move(parsed).error();
  return ingress_config(options);
}

TEST(Options, DefaultsServeTheClassWeirOnTheUsualPorts) {
  const auto config = config_of({"--bind-address", "192.0.2.1"});
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(config.value().controller_class, "weir.ingress/controller");
  EXPECT_EQ(config.value().ingress_class, "weir");
  EXPECT_FALSE(config.value().watch_without_class);
  EXPECT_EQ(config.value().http_public_port, 80);
  EXPECT_EQ(config.value().https_public_port, 443);
  ASSERT_EQ(config.value().http_binds.size(), 1U);
  EXPECT_EQ(config.value().http_binds[0].address, "192.0.2.1");
  EXPECT_TRUE(config.value().settings.access_log);
  EXPECT_FALSE(config.value().allow_loopback_endpoints);
}

TEST(Options, EveryFlagReachesTheConfiguration) {
  const auto config = config_of({"--http-port",
                                 "8080",
                                 "--https-port=8443",
                                 "--public-https-port",
                                 "443",
                                 "--bind-address",
                                 "127.0.0.1, ::1",
                                 "--controller-class",
                                 "example.com/mine",
                                 "--ingress-class",
                                 "mine",
                                 "--ingress-class-by-name",
                                 "--watch-ingress-without-class",
                                 "--disable-catch-all",
                                 "--default-backend-service",
                                 "shop/fallback",
                                 "--default-ssl-certificate",
                                 "shop/cert",
                                 "--settings",
                                 "weir/main",
                                 "--annotations-prefix",
                                 "example.com",
                                 "--disable-access-log",
                                 "--manifests",
                                 "/somewhere"});
  ASSERT_TRUE(config.ok()) << config.error().text;
  const ingress::Config& c = config.value();
  ASSERT_EQ(c.https_binds.size(), 2U);
  EXPECT_EQ(c.https_binds[1].address, "::1");
  EXPECT_EQ(c.https_binds[1].port, 8443);
  EXPECT_EQ(c.http_public_port, 8080);
  EXPECT_EQ(c.https_public_port, 443);
  EXPECT_EQ(c.controller_class, "example.com/mine");
  EXPECT_EQ(c.ingress_class, "mine");
  EXPECT_TRUE(c.ingress_class_by_name);
  EXPECT_TRUE(c.watch_without_class);
  EXPECT_TRUE(c.disable_catch_all);
  EXPECT_EQ(c.default_backend_service, "shop/fallback");
  EXPECT_EQ(c.default_ssl_certificate, "shop/cert");
  EXPECT_EQ(c.settings_object, "weir/main");
  EXPECT_EQ(c.annotations.prefix, "example.com");
  EXPECT_FALSE(c.settings.access_log);
  EXPECT_TRUE(c.allow_loopback_endpoints) << "a folder may name loopback";
}

TEST(Options, APortOfZeroListensNowhere) {
  const auto config = config_of({"--http-port", "0", "--https-port", "0"});
  ASSERT_TRUE(config.ok());
  EXPECT_TRUE(config.value().http_binds.empty());
  EXPECT_TRUE(config.value().https_binds.empty());
}

TEST(Options, WrongValuesNameFlagValueAndForm) {
  const struct {
    std::vector<std::string> argv;
    std::vector<std::string> parts;
  } cases[] = {
      {{"--bind-address", "localhost"}, {"--bind-address", "'localhost'", "IP literals"}},
      {{"--bind-address", "127.0.0.1,"}, {"--bind-address", "'127.0.0.1,'", "IP literals"}},
      {{"--default-backend-service", "web"},
       {"--default-backend-service", "'web'", "NAMESPACE/NAME"}},
      {{"--default-backend-service", "/web"}, {"'/web'", "NAMESPACE/NAME"}},
      {{"--default-ssl-certificate", "a/b/c"},
       {"--default-ssl-certificate", "'a/b/c'", "NAMESPACE/NAME"}},
      {{"--publish-service", "a/"}, {"--publish-service", "'a/'", "NAMESPACE/NAME"}},
      {{"--http-port", "8080", "--https-port", "8080"}, {"--https-port", "'8080'", "--http-port"}},
      {{"--http-port", "70000"}, {"--http-port", "70000"}},
      {{"--settings", "main"}, {"--settings", "'main'", "NAMESPACE/NAME"}},
      {{"--no-such-flag"}, {"--no-such-flag"}},
  };
  for (const auto& one : cases) {
    const auto config = config_of(one.argv);
    ASSERT_FALSE(config.ok()) << one.argv.front() << " " << one.argv.back();
    for (const std::string& part : one.parts) EXPECT_THAT(config.error().text, HasSubstr(part));
  }
}

// Bounds have one home, so neither way in is wider than the other.
TEST(Options, AFlagAndTheFieldOfAnObjectRefuseTheSame) {
  const struct {
    std::string flag, value, spec;
    bool good;
  } cases[] = {
      {"--http2-max-concurrent-streams", "0", R"({"http2Streams":0})", false},
      {"--http2-max-concurrent-streams", "65535", R"({"http2Streams":65535})", true},
      {"--http2-max-concurrent-streams", "65536", R"({"http2Streams":65536})", false},
      {"--keep-alive-timeout", "24h", R"({"keepAliveTimeout":"24h"})", true},
      {"--keep-alive-timeout", "25h", R"({"keepAliveTimeout":"25h"})", false},
      {"--keep-alive-timeout", "0s", R"({"keepAliveTimeout":"0s"})", false},
      {"--min-body-rate", "4294967296", R"({"minBodyRate":4294967296})", false},
      {"--forwarded-for-header", "X Y", R"({"clientAddress":{"forwardedForHeader":"X Y"}})", false},
      {"--forwarded-for-header", "", R"({"clientAddress":{"forwardedForHeader":""}})", false},
      {"--proxy-real-ip-cidr", "10.0.0.0/33",
       R"({"clientAddress":{"forwardedSources":["10.0.0.0/33"]}})", false},
      {"--otlp-collector-url", "ftp://a.test", R"({"tracing":{"collector":"ftp://a.test"}})",
       false},
      {"--otlp-collector-url", "http://a.test", R"({"tracing":{"collector":"http://a.test"}})",
       true},
      {"--otel-service-name", "", R"({"tracing":{"service":""}})", false},
      {"--otel-sampler-ratio", "1.1", R"({"tracing":{"samplePerMillion":1100000}})", false},
  };
  for (const auto& one : cases) {
    SCOPED_TRACE(one.flag + " " + one.value);
    const auto config = config_of({one.flag, one.value});
    const auto read = policies::overlay(base::Json::parse(one.spec).value(), model::Settings());
    EXPECT_EQ(config.ok(), one.good);
    EXPECT_EQ(read.refused.empty(), one.good);
    if (!config.ok()) {
      EXPECT_THAT(config.error().text, HasSubstr(one.flag));
    } else {
      EXPECT_EQ(base::encode(config.value().settings).to_string(),
                base::encode(read.settings).to_string());
    }
  }
}

TEST(Options, SettingsOfANamespaceThatIsNotWatchedAreFollowedByName) {
  Options options;
  EXPECT_FALSE(settings_apart(options).has_value());
  options.settings = "weir/main";
  EXPECT_FALSE(settings_apart(options).has_value()) << "all namespaces are watched";
  options.watch_namespaces = {"shop", "weir"};
  EXPECT_FALSE(settings_apart(options).has_value());
  options.watch_namespaces = {"shop"};
  ASSERT_TRUE(settings_apart(options).has_value());
  EXPECT_EQ(settings_apart(options)->to_string(), "WeirSettings weir/main");
}

// What a WeirSettings object that turns forwarding fields on finds below it.
TEST(Options, ForwardingSourcesThatAFlagNamesHoldUnderAnObject) {
  const auto sources = [](const std::vector<std::string>& argv) {
    auto config = config_of(argv);
    EXPECT_TRUE(config.ok());
    if (!config.ok()) return std::vector<std::string>{"none"};
    const base::Json spec =
        base::Json::parse(R"({"clientAddress":{"useForwardedHeaders":true}})").value();
    return policies::overlay(spec, config.value().settings)
        .settings.client_address.forwarded_sources;
  };
  EXPECT_THAT(sources({}), ::testing::IsEmpty()) << "nobody has named anybody";
  EXPECT_THAT(sources({"--proxy-real-ip-cidr", "10.0.0.0/8"}),
              ::testing::ElementsAre("10.0.0.0/8"));
  EXPECT_THAT(sources({"--use-forwarded-headers"}), ::testing::ElementsAre("0.0.0.0/0", "::/0"));
}

}  // namespace
}  // namespace weir::admin
