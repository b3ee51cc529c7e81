#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "e2e/harness/api.h"
#include "e2e/harness/backend.h"
#include "e2e/harness/client.h"
#include "e2e/harness/objects.h"
#include "e2e/harness/weir.h"

namespace weir::e2e {

// The folder of the cluster that main() started.
const std::string& cluster_folder();

// A case on one API server: IngressClass "weir" and Services a, b (pods 10.200.1.1 and .2) are
// there; what the case puts is removed at its end.
class Stage : public testing::Test {
 protected:
  explicit Stage(const std::string& server);
  ~Stage() override;

  Api& api() { return *api_; }
  void put(base::Json object);
  void remove(std::string_view kind, std::string_view name);

  // Starts replica `number` and waits until it is ready.
  Weir& start(std::vector<std::string> controller_args = {}, int number = 0);
  Weir& weir(int number = 0) { return *replicas_.at(static_cast<std::size_t>(number)); }

  // Until the host's "/" is answered so; the name of a backend, or "" with a status.
  testing::AssertionResult answers(const Request& request, const std::string& backend,
                                   int status = 200, int replica = 0);
  // The first address in the Ingress's status; empty: none.
  std::string address_of(const std::string& ingress);
  // An Event about that object of this reason; null: none.
  base::Json event_about(const std::string& name, const std::string& reason);
  bool event_comes(const std::string& name, const std::string& reason);
  // Until the Ingress's status holds that address; empty: until it holds none.
  testing::AssertionResult status_becomes(const std::string& ingress, const std::string& address,
                                          Millis patience = kPatience);
  // Takes a permission away for the rest of the case.
  void deny(std::string_view plural);
  // The case gives the controller less than it asks for: its log may say "forbidden".
  void expect_forbidden() { may_be_forbidden_ = true; }
  // The API server ends. After a start it forbids everything until it has read the roles.
  void stop_api();

 private:
  const std::string server_;
  const std::string folder_;
  Api* api_ = nullptr;
  std::set<std::tuple<std::string, std::string, std::string>> put_;  // kind, namespace, name
  std::vector<std::unique_ptr<Weir>> replicas_;
  bool denied_ = false;            // give the permissions back
  bool may_be_forbidden_ = false;  // the controller's log may say so
  Backend a_, b_;
};

// A case on each kind of server.
class OnBoth : public Stage, public testing::WithParamInterface<const char*> {
 protected:
  OnBoth() : Stage(GetParam()) {}
};

class OnReal : public Stage {
 protected:
  OnReal() : Stage("real") {}
};

}  // namespace weir::e2e
