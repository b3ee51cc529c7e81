#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/json.h"

namespace weir::e2e {

// A Kubernetes API server as the tests see it: the real one with an etcd behind, or the fake one
// in this process. What a case does through this interface must have the same outcome on both.
// Used by one thread. Failures of the server are test failures.
class Api {
 public:
  virtual ~Api() = default;
  virtual std::string_view name() const = 0;

  // Creates or replaces; status is left as it stands. Returns when the server has answered.
  virtual void put(base::Json object) = 0;
  // Creates the object; what the server says against it, empty: it took it.
  virtual std::string refusal_of(const base::Json& object) = 0;
  virtual void remove(std::string_view kind, std::string_view ns, std::string_view name) = 0;
  virtual base::Json get(std::string_view kind, std::string_view ns,
                         std::string_view name) = 0;  // null: absent
  virtual std::vector<base::Json> all(std::string_view kind, std::string_view ns) = 0;

  // Written for the controller's own service account with exactly deploy/rbac.yaml.
  virtual std::string kubeconfig() const = 0;
  // Takes a kind's permission away from the controller; allow() gives back what rbac.yaml says.
  virtual void deny(std::string_view plural) = 0;
  virtual void allow() = 0;

  // Away and back, on the same address with the same objects.
  virtual void stop() = 0;
  virtual void start() = 0;
  // Everything so far can no longer be watched from: 410.
  virtual void compact() = 0;
};

std::unique_ptr<Api> make_fake_api(const std::string& folder);
// folder: of the cluster that up.sh made.
std::unique_ptr<Api> make_real_api(const std::string& folder);

}  // namespace weir::e2e
