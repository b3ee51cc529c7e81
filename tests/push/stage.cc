#include "tests/push/stage.h"

#include <gtest/gtest.h>

#include <ctime>

namespace weir::push {

Stage::Stage(DataplaneOptions options) : dataplane(options) {
  controller = std::make_unique<Controller>(dataplane.control_socket());
  listener = make_listener("main", port);
  must_push(plain_setup(*this));
}

void Stage::must_push(const std::vector<model::ResourcePtr>& upserts,
                      const std::vector<model::ResourceKey>& removals) {
  const Verdict verdict = controller->push(upserts, removals);
  EXPECT_TRUE(verdict.clean()) << verdict.to_string() << "\n" << dataplane.log();
}

std::vector<model::ResourcePtr> plain_setup(const Stage& stage) {
  using model::make_resource;
  return {make_resource(make_endpoints("aa", {stage.aa.port()})),
          make_resource(make_endpoints("bb", {stage.bb.port()})),
          make_resource(make_cluster("aa")),
          make_resource(make_cluster("bb")),
          make_resource(make_host("a.test")),
          make_resource(make_route("root", "/", "aa")),
          make_resource(stage.listener)};
}

model::Listener make_listener(const std::string& name, std::uint16_t port,
                              const std::string& table) {
  model::Listener out;
  out.name = name;
  out.binds = {{"127.0.0.1", port}};
  out.route_table = table;
  return out;
}

model::Host make_host(const std::string& name, const std::string& table) {
  model::Host out;
  out.table = table;
  out.name = name;
  return out;
}

model::Cluster make_cluster(const std::string& name) {
  model::Cluster out;
  out.name = name;
  return out;
}

model::Endpoints make_endpoints(const std::string& cluster,
                                const std::vector<std::uint16_t>& ports) {
  model::Endpoints out;
  out.cluster = cluster;
  for (const std::uint16_t port : ports) {
    out.endpoints.push_back({"127.0.0.1:" + std::to_string(port), "127.0.0.1", port, 1, ""});
  }
  return out;
}

model::Route make_route(const std::string& id, const std::string& path,
                        const std::string& cluster) {
  model::Route out;
  out.table = "main";
  out.host = "a.test";
  out.id = id;
  out.match.path.value = path;
  if (!cluster.empty()) out.backends = {{cluster, 1, false, "", {}}};
  return out;
}

TestCertificate::TestCertificate(const std::string& name, const std::vector<std::string>& dns) {
  const crypto::PemPair pem = crypto::make_self_signed(dns, std::time(nullptr), 30);
  auto pair = crypto::parse_key_pair(pem.certificate, pem.key);
  if (!pair.ok()) return;
  model::Certificate facts;
  facts.name = name;
  facts.names = pair.value().names;
  facts.not_after = pair.value().not_after;
  facts.fingerprint = fingerprint = pair.value().fingerprint;
  facts.key_type = pair.value().key_type;
  std::vector<std::string> blobs = pair.value().chain;
  blobs.push_back(pair.value().key);
  resource = model::make_resource(facts, std::move(blobs));
}

}  // namespace weir::push
