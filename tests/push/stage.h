#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/crypto/certificate.h"
#include "common/model/resource.h"
#include "tests/push/backend.h"
#include "tests/push/client.h"
#include "tests/push/controller.h"

namespace weir::push {

using model::ResourceType;

// A dataplane with a controller that has pushed one plain listener "main" with table "main",
// clusters "aa" and "bb" of one backend each, and host "a.test" whose route "root" goes to "aa".
// Tests change the public parts and push.
class Stage {
 public:
  explicit Stage(DataplaneOptions options = {});

  Door door() const { return {.port = port}; }
  Answer get(const std::string& target, const std::string& more_fields = {}) const {
    return push::get(door(), target, "a.test", more_fields);
  }
  // Pushes these; a test failure when the answer is not a clean ack.
  void must_push(const std::vector<model::ResourcePtr>& upserts,
                 const std::vector<model::ResourceKey>& removals = {});

  Backend aa{"aa"}, bb{"bb"};
  Dataplane dataplane;
  std::unique_ptr<Controller> controller;
  std::uint16_t port = free_port();
  model::Listener listener;  // "main"
};

// Everything that Stage pushes.
std::vector<model::ResourcePtr> plain_setup(const Stage& stage);

model::Listener make_listener(const std::string& name, std::uint16_t port,
                              const std::string& table = "main");
model::Host make_host(const std::string& name, const std::string& table = "main");
model::Cluster make_cluster(const std::string& name);
model::Endpoints make_endpoints(const std::string& cluster,
                                const std::vector<std::uint16_t>& ports);
// Prefix match of `path` in host "a.test" of table "main"; no cluster: no backends.
model::Route make_route(const std::string& id, const std::string& path, const std::string& cluster);

// A fresh self-signed pair and its resource.
struct TestCertificate {
  explicit TestCertificate(const std::string& name, const std::vector<std::string>& dns);
  std::string fingerprint;
  model::ResourcePtr resource;
};

}  // namespace weir::push
