#include <fstream>
#include <sstream>

#include "controller/kubernetes/manifest_yaml.h"
#include "e2e/harness/stage.h"

namespace weir::e2e {
namespace {

constexpr const char* kDefinition = "weirsettings.weir.ingress";
// The controller asks every 30 s for a kind that was not there.
constexpr Millis kUntilFound{50'000};

base::Json definition() {
  std::ifstream file(WEIR_SOURCE_DIR "/crds/weir.ingress_weirsettings.yaml");
  std::stringstream text;
  text << file.rdbuf();
  auto documents = kubernetes::parse_yaml(text.str());
  EXPECT_TRUE(documents.ok() && documents.value().size() == 1U);
  return documents.ok() ? documents.value().at(0).value : base::Json();
}

base::Json settings(const std::string& spec, const std::string& name = "weir") {
  return base::Json::parse(R"({"apiVersion":"weir.ingress/v1alpha1","kind":"WeirSettings",
      "metadata":{"name":")" +
                           name + R"(","namespace":"weir"},"spec":)" + spec + "}")
      .value();
}

// The definition and the object weir/weir, which the harness's controllers select.
class Settings : public OnReal {
 protected:
  ~Settings() override { undefine(); }

  // Until the server serves the kind: it says so a moment after it has taken the definition.
  void define() {
    api().put(definition());
    ASSERT_TRUE(eventually([this] {
      const std::string refused = api().refusal_of(settings("{}", "probe"));
      if (refused.empty()) api().remove("WeirSettings", "weir", "probe");
      return refused.empty();
    }));
  }
  // Until its objects are removed, which the server does first.
  void undefine() {
    api().remove("CustomResourceDefinition", "", kDefinition);
    EXPECT_TRUE(eventually(
        [this] { return api().get("CustomResourceDefinition", "", kDefinition).is_null(); }));
  }
  void apply(const std::string& spec) { api().put(settings(spec)); }

  // "True Programmed 2", "": it is not there.
  std::string condition(const std::string& type) {
    const base::Json object = api().get("WeirSettings", "weir", "weir");
    for (const base::Json& one : object.at_path("status", "conditions").items()) {
      if (one["type"].as_string() != type) continue;
      const bool now =
          one["observedGeneration"].as_int() == object.at_path("metadata", "generation").as_int();
      return one["status"].as_string() + " " + one["reason"].as_string() + (now ? "" : " (old)");
    }
    return "";
  }
  testing::AssertionResult becomes(const std::string& type, const std::string& want) {
    if (eventually([&] { return condition(type) == want; })) return testing::AssertionSuccess();
    return testing::AssertionFailure()
           << type << " is '" << condition(type) << "', wanted '" << want << "'";
  }

  // Whether responses name the server, which serverHeader says.
  testing::AssertionResult names_server(bool want, Millis patience = kPatience) {
    const auto now = [this] {
      const Answer answer = ask(weir().http(), {"web.test"});
      const auto found = answer.fields.find("server");
      return found != answer.fields.end() && found->second == "weir";
    };
    if (eventually([&] { return now() == want; }, patience)) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "the field Server is " << (want ? "not " : "") << "there";
  }
};

TEST_F(Settings, AreLiveAndTheStatusSaysSo) {
  define();
  start();
  put(simple_ingress("web", "web.test", "a"));
  EXPECT_TRUE(answers({"web.test"}, "a"));
  EXPECT_TRUE(names_server(true));
  apply(R"({"serverHeader":false})");
  EXPECT_TRUE(names_server(false));
  EXPECT_TRUE(becomes("Accepted", "True Accepted"));
  EXPECT_TRUE(becomes("Programmed", "True Programmed"));
  apply(R"({"serverHeader":true,"keepAliveTimeout":"90s"})");
  EXPECT_TRUE(names_server(true));
  EXPECT_TRUE(becomes("Programmed", "True Programmed"));
}

TEST_F(Settings, TheApiServerRefusesWhatTheControllerWouldRefuse) {
  define();
  const struct {
    std::string spec, field;
  } bad[] = {
      {R"({"http2Streams":0})", "spec.http2Streams"},
      {R"({"http2Streams":65536})", "spec.http2Streams"},
      {R"({"http2Streams":"128"})", "spec.http2Streams"},
      {R"({"keepAliveTimeout":"30"})", "spec.keepAliveTimeout"},
      {R"({"keepAliveTimeout":"0s"})", "spec.keepAliveTimeout"},
      {R"({"keepAliveTimeout":"25h"})", "spec.keepAliveTimeout"},
      {R"({"keepAliveTimeout":30})", "spec.keepAliveTimeout"},
      {R"({"accessLog":"no"})", "spec.accessLog"},
      {R"({"clientAddress":{"forwardedSources":["everybody"]}})",
       "spec.clientAddress.forwardedSources[0]"},
      {R"({"clientAddress":{"forwardedSources":["10.0.0.0/33"]}})",
       "spec.clientAddress.forwardedSources[0]"},
      {R"({"clientAddress":{"forwardedForHeader":"X Y"}})",
       "spec.clientAddress.forwardedForHeader"},
      {R"({"tracing":{"collector":"ftp://a.test"}})", "spec.tracing.collector"},
      {R"({"tracing":{"samplePerMillion":1000001}})", "spec.tracing.samplePerMillion"},
  };
  for (const auto& one : bad) {
    const std::string said = api().refusal_of(settings(one.spec));
    EXPECT_NE(said.find(one.field), std::string::npos) << one.spec << ": '" << said << "'";
  }
  EXPECT_EQ(api().refusal_of(settings(R"({"http2Streams":65535,"keepAliveTimeout":"24h",
      "tlsHandshakeTimeout":"500ms","maxHeadBytes":1024,
      "clientAddress":{"forwardedSources":["10.0.0.0/8","192.0.2.1","2001:db8::1","2001:db8::/32"],
                       "forwardedForHeader":"X-Real-IP"},
      "tracing":{"collector":"https://otel.test:4318","service":"edge"}})")),
            "");
}

TEST_F(Settings, ABrokenFieldIsToldAndTheRestCounts) {
  // An older definition knows less: here one whose schema lets everything in.
  base::Json open = definition();
  base::Json& version = *open.find("spec")->find("versions");
  base::Json only = version.items().at(0);
  only.set("schema", base::Json::parse(R"({"openAPIV3Schema":{"type":"object",
      "x-kubernetes-preserve-unknown-fields":true}})")
                         .value());
  version = base::Json::array();
  version.push(std::move(only));
  api().put(std::move(open));
  ASSERT_TRUE(eventually([this] {
    return api().refusal_of(settings(R"({"serverHeader":false,"http2Streams":0})")).empty();
  }));
  start();
  put(simple_ingress("web", "web.test", "a"));
  EXPECT_TRUE(answers({"web.test"}, "a"));
  EXPECT_TRUE(names_server(false));
  EXPECT_TRUE(becomes("Accepted", "False FieldsRefused"));
  EXPECT_TRUE(becomes("Programmed", "True Programmed"));
  EXPECT_TRUE(eventually([this] {
    for (const base::Json& event : api().all("Event", "weir")) {
      if (event["reason"].as_string() == "InvalidSetting" &&
          event["note"].as_string().find("spec.http2Streams '0'") != std::string::npos)
        return true;
    }
    return false;
  }));
}

TEST_F(Settings, TheDefinitionMayComeLateAndGo) {
  start();
  put(simple_ingress("web", "web.test", "a"));
  EXPECT_TRUE(answers({"web.test"}, "a"));
  EXPECT_TRUE(names_server(true));
  EXPECT_EQ(weir().log().find("weirsettings"), std::string::npos) << "nobody asked for it";
  define();
  apply(R"({"serverHeader":false})");
  EXPECT_TRUE(names_server(false, kUntilFound));
  EXPECT_TRUE(becomes("Programmed", "True Programmed"));
  undefine();
  EXPECT_TRUE(names_server(true, kUntilFound));
  EXPECT_EQ(weir().log().find("source problem"), std::string::npos) << weir().log();
}

}  // namespace
}  // namespace weir::e2e
