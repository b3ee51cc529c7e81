#include "e2e/harness/stage.h"

#include <sys/stat.h>

#include <filesystem>
#include <map>

namespace weir::e2e {
namespace {

Api& server(const std::string& name) {
  static std::map<std::string, std::unique_ptr<Api>> servers;
  auto& found = servers[name];
  if (found == nullptr) {
    found = name == "real" ? make_real_api(cluster_folder()) : make_fake_api(cluster_folder());
  }
  return *found;
}

std::string stage_folder() {
  static int next = 0;
  std::string folder = cluster_folder() + "/stage" + std::to_string(next++);
  ::mkdir(folder.c_str(), 0700);
  return folder;
}

}  // namespace

Stage::Stage(const std::string& server_name)
    : server_(server_name),
      folder_(stage_folder()),
      api_(&server(server_name)),
      a_("a", "10.200.1.1"),
      b_("b", "10.200.1.2") {
  put(ingress_class("weir", "weir.ingress/controller"));
  for (const Backend* one : {&a_, &b_}) {
    put(service(one->name()));
    put(slice(one->name() + "-1", one->name(), {one->address()}));
  }
}

Stage::~Stage() {
  for (std::size_t i = 0; HasFailure() && i < replicas_.size(); ++i) {
    const std::string log = replicas_[i]->log();
    std::printf("--- controller %zu, last part of its log\n%s---\n", i,
                log.substr(log.size() > 5'000 ? log.size() - 5'000 : 0).c_str());
  }
  for (const auto& replica : replicas_) {
    replica->stop();
    // deploy/rbac.yaml must be enough for all that the controller did.
    if (may_be_forbidden_) continue;
    EXPECT_EQ(replica->log().find("forbidden"), std::string::npos) << replica->log();
  }
  if (denied_) api_->allow();
  replicas_.clear();
  for (const auto& [kind, ns, name] : put_) api_->remove(kind, ns, name);
  for (const base::Json& event : api_->all("Event", "shop"))
    api_->remove("Event", "shop", event.at_path("metadata", "name").as_string());
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void Stage::put(base::Json object) {
  const base::Json& metadata = object["metadata"];
  put_.emplace(object["kind"].as_string(), metadata["namespace"].as_string(),
               metadata["name"].as_string());
  api_->put(std::move(object));
}

void Stage::remove(std::string_view kind, std::string_view name) {
  put_.erase({std::string(kind), "shop", std::string(name)});
  api_->remove(kind, "shop", name);
}

Weir& Stage::start(std::vector<std::string> controller_args, int number) {
  replicas_.push_back(std::make_unique<Weir>(number, api_->kubeconfig(),
                                             folder_ + "/r" + std::to_string(number),
                                             std::move(controller_args)));
  EXPECT_TRUE(replicas_.back()->wait_ready()) << "on the " << server_ << " API server";
  return *replicas_.back();
}

testing::AssertionResult Stage::answers(const Request& request, const std::string& backend,
                                        int status, int replica) {
  Answer last;
  const bool came = eventually([&] {
    last = ask(weir(replica).http(), request);
    return last.status == status && last.backend() == backend;
  });
  if (came) return testing::AssertionSuccess();
  return testing::AssertionFailure()
         << request.host << request.target << ": " << last.status << " from '" << last.backend()
         << "', wanted " << status << " from '" << backend << "' on the " << server_ << " server";
}

std::string Stage::address_of(const std::string& name) {
  const base::Json object = api_->get("Ingress", "shop", name);
  const auto& addresses = object.at_path("status", "loadBalancer", "ingress").items();
  return addresses.empty() ? "" : addresses.front()["ip"].as_string();
}

base::Json Stage::event_about(const std::string& name, const std::string& reason) {
  for (const base::Json& event : api_->all("Event", "shop")) {
    if (event.at_path("regarding", "name").as_string() == name &&
        event["reason"].as_string() == reason)
      return event;
  }
  return {};
}

testing::AssertionResult Stage::status_becomes(const std::string& name, const std::string& address,
                                               Millis patience) {
  if (eventually([&] { return address_of(name) == address; }, patience))
    return testing::AssertionSuccess();
  return testing::AssertionFailure() << "the address of " << name << " is '" << address_of(name)
                                     << "', wanted '" << address << "'";
}

void Stage::deny(std::string_view plural) {
  denied_ = may_be_forbidden_ = true;
  api_->deny(plural);
}

void Stage::stop_api() {
  may_be_forbidden_ = true;
  api_->stop();
}

bool Stage::event_comes(const std::string& name, const std::string& reason) {
  return eventually([&] { return !event_about(name, reason).is_null(); });
}

}  // namespace weir::e2e
