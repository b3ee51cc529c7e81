#include "e2e/harness/verbs.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "common/base/json.h"
#include "controller/kubernetes/manifest_yaml.h"

namespace weir::e2e {
namespace {

std::string verb_on(const std::string& verb, const std::string& group,
                    const std::string& resource) {
  return verb + " " + (group.empty() ? "core" : group) + "/" + resource;
}

}  // namespace

Verbs used_verbs(const std::string& folder) {
  Verbs used;
  std::ifstream log(folder + "/log/audit.log");
  for (std::string line; std::getline(log, line);) {
    const auto event = base::Json::parse(line);
    if (!event.ok()) continue;  // the last line, half written
    const base::Json& about = event.value()["objectRef"];
    std::string resource(about["resource"].as_string());
    if (resource.empty()) continue;
    const std::string part(about["subresource"].as_string());
    if (!part.empty()) resource += "/" + part;
    used.insert(verb_on(std::string(event.value()["verb"].as_string()),
                        std::string(about["apiGroup"].as_string()), resource));
  }
  return used;
}

Verbs allowed_verbs() {
  Verbs allowed;
  std::ifstream file(WEIR_SOURCE_DIR "/deploy/rbac.yaml");
  std::stringstream text;
  text << file.rdbuf();
  const auto documents = kubernetes::parse_yaml(text.str());
  if (!documents.ok()) {
    ADD_FAILURE() << documents.error().text;
    return allowed;
  }
  for (const kubernetes::YamlDocument& document : documents.value()) {
    for (const base::Json& rule : document.value["rules"].items()) {
      for (const base::Json& group : rule["apiGroups"].items()) {
        for (const base::Json& resource : rule["resources"].items()) {
          for (const base::Json& verb : rule["verbs"].items()) {
            allowed.insert(verb_on(std::string(verb.as_string()), std::string(group.as_string()),
                                   std::string(resource.as_string())));
          }
        }
      }
    }
  }
  return allowed;
}

}  // namespace weir::e2e
