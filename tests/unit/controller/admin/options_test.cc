#include "controller/admin/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
      {{"--no-such-flag"}, {"--no-such-flag"}},
  };
  for (const auto& one : cases) {
    const auto config = config_of(one.argv);
    ASSERT_FALSE(config.ok()) << one.argv.front() << " " << one.argv.back();
    for (const std::string& part : one.parts) EXPECT_THAT(config.error().text, HasSubstr(part));
  }
}

}  // namespace
}  // namespace weir::admin
