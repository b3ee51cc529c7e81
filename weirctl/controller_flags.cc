#include "weirctl/controller_flags.h"

#include <array>
#include <optional>

namespace weir::weirctl {
namespace {

using base::Json;
using kubernetes::KindDescriptor;

constexpr std::array<KindDescriptor, 2> kWorkloads{{
    {"Deployment", "apps", "v1", "deployments", true},
    {"DaemonSet", "apps", "v1", "daemonsets", true},
}};
constexpr std::string_view kSelector = "?labelSelector=app.kubernetes.io%2Fname%3Dweir";

// A workload that was found.
struct Workload {
  std::string name;  // "Deployment weir/weir"
  Json object;
};

const Json* controller_container(const Json& workload) {
  const Json& pod = workload.at_path("spec", "template", "spec");
  for (const std::string_view list : {"initContainers", "containers"}) {
    for (const Json& one : pod[list].items()) {
      for (const Json& word : one["command"].items()) {
        if (word.as_string().ends_with("weir-controller")) return &one;
      }
    }
  }
  return nullptr;
}

base::Result<ControllerFlags> flags_of(const Workload& workload) {
  ControllerFlags out;
  out.from = "the flags of " + workload.name;
  const Json* container = controller_container(workload.object);
  if (container == nullptr)
    return base::invalid(workload.name + " has no container that runs weir-controller");
  std::vector<std::string> words;
  const std::vector<Json>& command = (*container)["command"].items();
  for (std::size_t i = 1; i < command.size(); ++i) words.push_back(command[i].as_string());
  for (const Json& word : (*container)["args"].items()) words.push_back(word.as_string());
  base::Flags flags("weir-controller", "");
  admin::add_flags(flags, out.options);
  const auto parsed = flags.parse(std::move(words));
  if (!parsed.ok())
    return base::Error(parsed.error()).within(workload.name + ": not the flags of this version");
  return out;
}

base::Result<ControllerFlags> defaults(const std::string& why) {
  ControllerFlags out;
  out.from = "the controller's default flags: " + why;
  return out;
}

base::Result<ControllerFlags> named(kubernetes::ApiClient& client, const std::string& which,
                                    base::Duration patience) {
  const ingress::NamePair name = ingress::split_name(which);
  if (name.ns.empty() || name.name.empty())
    return base::invalid("--controller '" + which + "': accepted: NAMESPACE/NAME or none");
  for (const KindDescriptor& kind : kWorkloads) {
    auto answer = ask_api(client, kubernetes::api_path(kind, name.ns, name.name), patience);
    if (!answer.ok()) return std::move(answer).error();
    if (answer.value().ok())
      return flags_of({std::string(kind.kind) + " " + which, answer.value().body});
    if (answer.value().head.status != 404)
      return kubernetes::status_error(answer.value().head.status, answer.value().body);
  }
  return base::invalid("--controller '" + which + "': there is no such Deployment or DaemonSet");
}

}  // namespace

base::Result<kubernetes::ApiResponse> ask_api(kubernetes::ApiClient& client,
                                              const std::string& path, base::Duration patience) {
  std::optional<base::Result<kubernetes::ApiResponse>> answer;
  kubernetes::ApiRequest request;
  request.path = path;
  request.timeout = std::chrono::duration_cast<std::chrono::milliseconds>(patience);
  const auto call = client.call(
      std::move(request),
      [&answer](base::Result<kubernetes::ApiResponse> got) { answer.emplace(std::move(got)); });
  const base::TimePoint end = client.loop().clock().now() + patience + std::chrono::seconds(1);
  while (!answer && client.loop().clock().now() < end)
    client.loop().run_once(std::chrono::milliseconds(100));
  if (answer) return std::move(*answer);
  return base::Error{base::ErrorKind::kTimeout, base::Origin::kUpstream, false,
                     "no answer from the API server"};
}

base::Result<ControllerFlags> controller_flags(kubernetes::ApiClient& client,
                                               const std::string& which, base::Duration patience) {
  if (which == "none") return defaults("--controller none");
  if (!which.empty()) return named(client, which, patience);
  std::vector<Workload> found;
  for (const KindDescriptor& kind : kWorkloads) {
    auto answer =
        ask_api(client, kubernetes::api_path(kind, "") + std::string(kSelector), patience);
    if (!answer.ok()) return std::move(answer).error();
    if (answer.value().head.status == 401)
      return kubernetes::status_error(401, answer.value().body);
    if (!answer.value().ok())
      return defaults("its Deployment may not be read; name it with --controller");
    for (const Json& one : answer.value().body["items"].items()) {
      const Json& metadata = one["metadata"];
      if (controller_container(one) == nullptr) continue;
      found.push_back({std::string(kind.kind) + " " + metadata["namespace"].as_string() + "/" +
                           metadata["name"].as_string(),
                       one});
    }
  }
  if (found.size() == 1) return flags_of(found.front());
  if (found.empty()) return defaults("no Deployment or DaemonSet has Weir's label");
  std::string names;
  for (const Workload& one : found) names += (names.empty() ? "" : ", ") + one.name;
  return base::invalid("several controllers are there (" + names + "): choose with --controller");
}

}  // namespace weir::weirctl
