#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/base/text.h"
#include "common/crypto/certificate.h"
#include "common/model/certificate.h"
#include "controller/ingress/translator.h"
#include "controller/kubernetes/manifest_yaml.h"
#include "tests/golden/listing.h"

// Every cases/<stem>*.in.yaml is a stream of manifests; what the translation makes of them must be
// cases/<stem>*.out.json. A first document without kind holds the flags of the case. A Secret with
// the annotation "golden/certificate: names" gets a fresh certificate for these names.
// WEIR_UPDATE_GOLDEN=1 rewrites the outputs: read the difference before you keep it.

namespace weir::golden {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kNow = 1'800'000'000;

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream out;
  out << file.rdbuf();
  return std::move(out).str();
}

std::vector<fs::path> inputs() {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(WEIR_GOLDEN_DIR)) {
    if (entry.path().string().ends_with(".in.yaml")) out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

model::ResourcePtr default_certificate() {
  model::Certificate certificate;
  certificate.name = "default";
  certificate.names = {"ingress.local"};
  certificate.key_type = "ec";
  return model::make_resource(certificate, {"leaf", "key"});
}

ingress::Config config_of(const base::Json& flags) {
  ingress::Config config;
  config.http_binds = {{"0.0.0.0", 80}};
  config.https_binds = {{"0.0.0.0", 443}};
  config.default_certificate = default_certificate();
  config.default_backend_service = flags["default-backend-service"].as_string();
  config.default_ssl_certificate = flags["default-ssl-certificate"].as_string();
  config.disable_catch_all = flags["disable-catch-all"].as_bool();
  config.watch_without_class = flags["watch-ingress-without-class"].as_bool();
  config.ingress_class_by_name = flags["ingress-class-by-name"].as_bool();
  config.allow_loopback_endpoints = flags["allow-loopback-endpoints"].as_bool();
  config.ssl_passthrough = flags["enable-ssl-passthrough"].as_bool();
  config.proxy_protocol = flags["use-proxy-protocol"].as_bool();
  config.tcp_services = flags["tcp-services-configmap"].as_string();
  config.udp_services = flags["udp-services-configmap"].as_string();
  config.settings_object = flags["settings"].as_string();
  config.settings.keep_alive_requests =
      static_cast<std::uint32_t>(flags["keep-alive-requests"].as_int());
  config.stream_addresses = {"0.0.0.0"};
  config.reserved_ports = {80, 443};
  if (flags.has("annotations-prefix"))
    config.annotations.prefix = flags["annotations-prefix"].as_string();
  if (flags.has("https-public-port"))
    config.https_public_port = static_cast<std::uint16_t>(flags["https-public-port"].as_int());
  return config;
}

void add_certificate(base::Json& item) {
  const base::Json& names = item.at_path("metadata", "annotations", "golden/certificate");
  if (names.is_null()) return;
  std::vector<std::string> list;
  for (const auto name : base::split(names.as_string(), ',')) list.emplace_back(name);
  const auto pem = crypto::make_self_signed(list, kNow, 30);
  base::Json data = base::Json::object();
  data.set("tls.crt", base::base64_encode(pem.certificate));
  data.set("tls.key", base::base64_encode(pem.key));
  item.set("data", data);
}

void put(store::Store& store, base::Json item) {
  add_certificate(item);
  for (const store::KindRow& row : store::kind_rows()) {
    if (row.descriptor.kind != item["kind"].as_string()) continue;
    auto object = row.parse(item);
    ASSERT_TRUE(object.ok()) << object.error().text;
    store.put(std::move(object).value());
    return;
  }
  FAIL() << "unknown kind " << item["kind"].as_string();
}

std::string translate_case(const fs::path& input) {
  auto documents = kubernetes::parse_yaml(read_file(input));
  EXPECT_TRUE(documents.ok()) << documents.error().text;
  if (!documents.ok()) return {};
  store::Store store;
  ingress::Config config = config_of(base::Json());
  for (auto& document : documents.value()) {
    if (document.value.has("kind")) {
      put(store, std::move(document.value));
    } else {
      config = config_of(document.value);
    }
  }
  const ingress::IngressTranslator translator(config);
  translate::Engine engine(store, {&translator});
  translate::Engine::Changes changes;
  engine.run(base::system_clock(), base::TimePoint::max(), changes);
  return listing(engine).to_pretty_string() + "\n";
}

TEST(Golden, EveryCaseGivesWhatItsOutputSays) {
  const bool update = std::getenv("WEIR_UPDATE_GOLDEN") != nullptr;
  const auto cases = inputs();
  ASSERT_GE(cases.size(), 25U);
  for (const fs::path& input : cases) {
    SCOPED_TRACE(input.filename().string());
    std::string output = input.string();
    output.replace(output.size() - std::string_view(".in.yaml").size(), std::string::npos,
                   ".out.json");
    const std::string got = translate_case(input);
    if (update) {
      std::ofstream(output, std::ios::binary) << got;
    } else {
      EXPECT_EQ(got, read_file(output)) << "if this is meant, run with WEIR_UPDATE_GOLDEN=1";
    }
  }
}

}  // namespace
}  // namespace weir::golden
