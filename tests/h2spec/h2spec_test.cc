// The conformance tests of HTTP/2 against the real dataplane with a real backend, strict, in clear
// text and over TLS: h2spec is a Go program that tools/dev/go_programs.sh builds and keeps.

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <string>

#include "tests/push/stage.h"

namespace weir::h2spec {
namespace {

// What a command says, both outputs.
std::string run(const std::string& command) {
  std::FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return "cannot run " + command;
  std::string out;
  std::array<char, 4096> buffer;
  while (const std::size_t size = fread(buffer.data(), 1, buffer.size(), pipe)) {
    out.append(buffer.data(), size);
  }
  pclose(pipe);
  return out;
}

std::string program() {
  const std::string top = WEIR_SOURCE_DIR;
  const std::string said = run(top + "/tools/dev/go_programs.sh tests/h2spec/tools");
  const std::string line = said.substr(0, said.find_last_not_of('\n') + 1);
  return line.substr(line.rfind('\n') + 1) + "/h2spec";
}

void expect_no_failure(std::uint16_t port, const std::string& flags) {
  const std::string tool = program();
  const auto begin = push::Clock::now();
  const std::string said =
      run(tool + " --strict " + flags + " -h 127.0.0.1 -p " + std::to_string(port));
  const auto took = std::chrono::duration_cast<push::Millis>(push::Clock::now() - begin);
  EXPECT_NE(said.find("0 skipped, 0 failed"), std::string::npos) << said;
  EXPECT_NE(said.find("146 tests"), std::string::npos) << said;
  testing::Test::RecordProperty("milliseconds", static_cast<int>(took.count()));
}

// The tests ask for any host, and one of them for a body of five bytes at least.
void serve_every_host(push::Stage& stage, const push::Backend& origin) {
  model::Route route = push::make_route("any", "/", "aa");
  route.host = "*";
  stage.must_push({model::make_resource(push::make_host("*")), model::make_resource(route),
                   model::make_resource(push::make_endpoints("aa", {origin.port()}))});
}

TEST(H2spec, StrictInClearText) {
  push::Backend origin{"a-body-of-some-length"};
  push::Stage stage;
  serve_every_host(stage, origin);
  expect_no_failure(stage.port, "");
}

TEST(H2spec, StrictOverTls) {
  push::Backend origin{"a-body-of-some-length"};
  push::Stage stage;
  serve_every_host(stage, origin);
  model::Listener secure = push::make_listener("secure", push::free_port());
  secure.protocol = model::ListenerProtocol::kHttps;
  secure.default_certificates = {"default"};
  const push::TestCertificate certificate("default", {"ingress.local"});
  stage.must_push({certificate.resource, model::make_resource(secure)});
  expect_no_failure(secure.binds[0].port, "-t -k");
}

}  // namespace
}  // namespace weir::h2spec
