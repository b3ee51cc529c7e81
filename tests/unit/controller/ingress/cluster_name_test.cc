#include "controller/ingress/cluster_name.h"

#include <gtest/gtest.h>

namespace weir::ingress {
namespace {

TEST(ClusterName, DefaultSettingsNeedNoSuffix) {
  const std::string unit = cluster_unit_name("shop/cart/http", model::Cluster{});
  EXPECT_EQ(unit, "shop/cart/http");
  const model::Cluster cluster = cluster_of_unit(unit);
  EXPECT_EQ(cluster.name, "shop/cart/http");
  EXPECT_EQ(cluster.ns, "shop");
  EXPECT_EQ(cluster.service, "cart");
  EXPECT_EQ(cluster.port, "http");
}

TEST(ClusterName, SettingsComeBackFromTheUnitAndNameTheCluster) {
  model::Cluster settings;
  settings.protocol = model::UpstreamProtocol::kHttp2;
  settings.connect_timeout = std::chrono::milliseconds(7'000);
  const model::Cluster cluster = cluster_of_unit(cluster_unit_name("shop/cart/80", settings));
  EXPECT_EQ(cluster.protocol, model::UpstreamProtocol::kHttp2);
  EXPECT_EQ(cluster.connect_timeout, std::chrono::milliseconds(7'000));
  EXPECT_TRUE(cluster.name.starts_with("shop/cart/80#")) << cluster.name;
  EXPECT_EQ(cluster.port, "80");

  settings.connect_timeout = std::chrono::milliseconds(8'000);
  EXPECT_NE(cluster_of_unit(cluster_unit_name("shop/cart/80", settings)).name, cluster.name);
}

TEST(ClusterName, WhoAsksForItIsNoSetting) {
  model::Cluster settings;
  settings.ns = "other";
  settings.name = "anything";
  EXPECT_EQ(cluster_unit_name("shop/cart/80", settings), "shop/cart/80");
}

}  // namespace
}  // namespace weir::ingress
