#include "controller/policies/settings_schema.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "controller/kubernetes/manifest_yaml.h"
#include "controller/policies/setting_rules.h"

// WEIR_UPDATE_GENERATED=1 rewrites the files: read the difference before you keep it.

namespace weir::policies {
namespace {

using base::Json;

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream out;
  out << file.rdbuf();
  return std::move(out).str();
}

void expect_file(const std::string& name, const std::string& content) {
  const std::string path = std::string(WEIR_SOURCE_DIR "/") + name;
  if (std::getenv("WEIR_UPDATE_GENERATED") != nullptr) {
    std::ofstream out(path, std::ios::binary);
    out << content;
    EXPECT_TRUE(out.flush().good()) << path << " is not written";
    return;
  }
  EXPECT_EQ(read_file(path), content)
      << name << " is not what the field list gives: run with WEIR_UPDATE_GENERATED=1";
}

Json spec_schema() {
  return settings_definition()
      .at_path("spec", "versions")
      .items()
      .at(0)
      .at_path("schema", "openAPIV3Schema", "properties", "spec");
}

TEST(SettingsSchema, TheFilesAreWhatTheFieldListGives) {
  expect_file("crds/weir.ingress_weirsettings.yaml", settings_definition_file());
  expect_file("helm/weir/crds/weir.ingress_weirsettings.yaml", settings_definition_file());
  expect_file("docs/settings.md", settings_page());
}

TEST(SettingsSchema, TheYamlSaysWhatTheDefinitionSays) {
  const auto documents = kubernetes::parse_yaml(settings_definition_file());
  ASSERT_TRUE(documents.ok()) << documents.error().text;
  ASSERT_EQ(documents.value().size(), 1U);
  EXPECT_EQ(documents.value()[0].value.to_string(), settings_definition().to_string());
}

TEST(SettingsSchema, HasEveryFieldWithItsBoundsAndWords) {
  for (const SettingRule& rule : setting_rules()) {
    SCOPED_TRACE(rule.path);
    const std::string path(rule.path);
    const std::size_t dot = path.find('.');
    Json at = spec_schema();
    if (dot != std::string::npos) at = at.at_path("properties", setting_name(path.substr(0, dot)));
    at =
        at.at_path("properties", setting_name(path.substr(dot == std::string::npos ? 0 : dot + 1)));
    ASSERT_TRUE(at.is_object());
    EXPECT_GT(at["description"].as_string().size(), rule.help.size());
    EXPECT_FALSE(at.has("default")) << "the API server would write it into the object";
    if (at["type"].as_string() != "integer") continue;
    EXPECT_EQ(at["minimum"].as_int(-1), rule.least);
    EXPECT_EQ(at["maximum"].as_int(-1), rule.most);
  }
}

}  // namespace
}  // namespace weir::policies
