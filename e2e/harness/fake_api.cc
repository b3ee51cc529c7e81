#include <fstream>

#include "e2e/harness/api.h"
#include "tests/fakes/fake_api_server.h"

namespace weir::e2e {
namespace {

class FakeApi final : public Api {
 public:
  explicit FakeApi(std::string kubeconfig) : kubeconfig_(std::move(kubeconfig)) {
    std::ofstream(kubeconfig_) << "apiVersion: v1\nkind: Config\nclusters:\n- name: e2e\n"
                                  "  cluster: {server: \""
                               << server_.url()
                               << "\"}\nusers:\n- {name: weir, user: {token: fake}}\ncontexts:\n"
                                  "- {name: e2e, context: {cluster: e2e, user: weir}}\n"
                                  "current-context: e2e\n";
  }

  std::string_view name() const override { return "fake"; }
  void put(base::Json object) override {
    const base::Json& metadata = object["metadata"];
    const base::Json old = get(object["kind"].as_string(), metadata["namespace"].as_string(),
                               metadata["name"].as_string());
    if (old.has("status") && !object.has("status")) object.set("status", old["status"]);
    server_.put(std::move(object));
  }
  std::string refusal_of(const base::Json& object) override {
    server_.put(object);
    return {};
  }
  void remove(std::string_view kind, std::string_view ns, std::string_view name) override {
    server_.remove(kind, ns, name);
  }
  base::Json get(std::string_view kind, std::string_view ns, std::string_view name) override {
    return server_.get(kind, ns, name);
  }
  std::vector<base::Json> all(std::string_view kind, std::string_view ns) override {
    std::vector<base::Json> out = server_.all(kind);
    std::erase_if(out, [ns](const base::Json& one) {
      return one.at_path("metadata", "namespace").as_string() != ns;
    });
    return out;
  }
  std::string kubeconfig() const override { return kubeconfig_; }
  void deny(std::string_view plural) override {
    fakes::FakeFaults faults = server_.faults();
    faults.denied.insert(std::string(plural));
    server_.set_faults(faults);
    server_.close_watches();
  }
  void allow() override { server_.set_faults({}); }
  void stop() override { server_.go_away(); }
  void start() override { server_.come_back(); }
  void compact() override { server_.compact(); }

 private:
  const std::string kubeconfig_;
  fakes::FakeApiServer server_;
};

}  // namespace

std::unique_ptr<Api> make_fake_api(const std::string& folder) {
  return std::make_unique<FakeApi>(folder + "/fake.kubeconfig");
}

}  // namespace weir::e2e
