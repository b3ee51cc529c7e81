#include "controller/ingress/cluster_name.h"

#include "common/base/check.h"
#include "common/base/text.h"
#include "common/model/resource.h"

namespace weir::ingress {
namespace {

constexpr std::size_t kHashDigits = 12;

}  // namespace

std::string cluster_unit_name(const std::string& service_port, const model::Cluster& settings) {
  model::Cluster bare = settings;
  bare.name.clear();
  bare.ns.clear();
  bare.service.clear();
  bare.port.clear();
  const std::string json = base::encode(bare).to_string();
  return json == "{}" ? service_port : service_port + "#" + json;
}

model::Cluster cluster_of_unit(std::string_view unit_name) {
  const std::size_t hash = unit_name.find('#');
  const std::string service_port(unit_name.substr(0, hash));
  model::Cluster cluster;
  cluster.name = service_port;
  if (hash != std::string_view::npos) {
    const std::string_view text = unit_name.substr(hash + 1);
    auto json = base::Json::parse(text);
    WEIR_CHECK(json.ok());
    auto settings = base::decode<model::Cluster>(json.value());
    WEIR_CHECK(settings.ok());
    cluster = std::move(settings).value();
    const std::string whole = model::resource_hash({.name = service_port}, text, {});
    cluster.name = service_port + "#" + whole.substr(0, kHashDigits);
  }
  const auto parts = base::split(service_port, '/');
  cluster.ns = parts[0];
  cluster.service = parts[1];
  cluster.port = parts[2];
  return cluster;
}

}  // namespace weir::ingress
