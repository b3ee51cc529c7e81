// The scenarios of ingress-controller-conformance, restated.

#include "e2e/harness/stage.h"
#include "tests/attack/pki.h"

namespace weir::e2e {
namespace {

struct Question {
  std::string host, target;
  std::string backend;  // empty: 404
};

struct Scenario {
  std::string name;
  std::vector<Rule> rules;
  std::vector<Question> asks;
};

Path exact(const std::string& path, const std::string& to) { return {path, "Exact", to}; }
Path prefix(const std::string& path, const std::string& to) { return {path, "Prefix", to}; }

const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> all = {
      {"exact path",
       {{"exact.test", {exact("/foo", "a")}}},
       {{"exact.test", "/foo", "a"},
        {"exact.test", "/foo/", ""},
        {"exact.test", "/FOO", ""},
        {"exact.test", "/bar", ""}}},
      {"prefix /",
       {{"all.test", {prefix("/", "a")}}},
       {{"all.test", "/", "a"}, {"all.test", "/any/thing", "a"}}},
      {"prefix /foo",
       {{"foo.test", {prefix("/foo", "a")}}},
       {{"foo.test", "/foo", "a"},
        {"foo.test", "/foo/", "a"},
        {"foo.test", "/foo/bar", "a"},
        {"foo.test", "/foobar", ""},
        {"foo.test", "/FOO", ""}}},
      {"prefix /aaa/bb",
       {{"bb.test", {prefix("/aaa/bb", "a")}}},
       {{"bb.test", "/aaa/bbb", ""}, {"bb.test", "/aaa/bb/c", "a"}}},
      {"prefix /aaa/bbb/",
       {{"slash.test", {prefix("/aaa/bbb/", "a")}}},
       {{"slash.test", "/aaa/bbb", "a"},
        {"slash.test", "/aaa/bbb/", "a"},
        {"slash.test", "/aaa/bbb/ccc", "a"},
        {"slash.test", "/aaa/bbbxyz", ""}}},
      {"longest prefix",
       {{"long.test", {prefix("/", "a"), prefix("/aaa", "b"), prefix("/aaa/ccc", "a")}}},
       {{"long.test", "/aaa/bbb", "b"},
        {"long.test", "/aaa/ccc", "a"},
        {"long.test", "/aaa/ccc/d", "a"},
        {"long.test", "/ddd", "a"}}},
      {"exact before an equal prefix",
       {{"mixed.test", {prefix("/foo", "b"), exact("/foo", "a")}}},
       {{"mixed.test", "/foo", "a"}, {"mixed.test", "/foo/", "b"}, {"mixed.test", "/bar", ""}}},
      {"hosts",
       {{"foo.hosts.test"}, {"*.hosts.test", {prefix("/", "b")}}},
       {{"foo.hosts.test", "/", "a"},
        {"bar.hosts.test", "/", "b"},
        {"baz.bar.hosts.test", "/", ""},
        {"hosts.test", "/", ""},
        {"FOO.hosts.test", "/", "a"}}},
      {"service port by name",
       {{"port.test", {Path{"/", "Prefix", "b", "http"}}}},
       {{"port.test", "/", "b"}}},
      {"implementation specific path",
       {{"impl.test", {Path{"/foo", "ImplementationSpecific", "a"}}}},
       {{"impl.test", "/foo", "a"}}},
  };
  return all;
}

using Conformance = OnBoth;

TEST_P(Conformance, PathAndHostRules) {
  int number = 0;
  for (const Scenario& one : scenarios())
    put(ingress({.name = "rules-" + std::to_string(number++), .rules = one.rules}));
  start();
  for (const Scenario& one : scenarios()) {
    for (const Question& question : one.asks) {
      const Answer answer = ask(weir().http(), {question.host, question.target});
      EXPECT_EQ(answer.backend(), question.backend)
          << one.name << ": " << question.host << question.target;
      EXPECT_EQ(answer.status, question.backend.empty() ? 404 : 200) << one.name;
    }
  }
}

TEST_P(Conformance, DefaultBackend) {
  put(ingress({.name = "default", .default_service = "a"}));
  start();
  for (const char* method : {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"}) {
    const Answer answer = ask(weir().http(), {.host = "any.test",
                                              .target = "/sub/path",
                                              .method = method,
                                              .fields = "User-Agent: e2e-agent\r\n"});
    EXPECT_EQ(answer.status, 200) << method;
    EXPECT_EQ(answer.backend(), "a");
    for (const char* field : {"content-length", "content-type", "date", "server"})
      EXPECT_TRUE(answer.fields.contains(field)) << method << " " << field;
    EXPECT_TRUE(answer.body.starts_with(std::string(method) + " /sub/path HTTP/1.1\r\n"))
        << answer.body;
    EXPECT_NE(answer.body.find("e2e-agent\r\n"), std::string::npos) << answer.body;
  }
}

// The client believes only the authority that has issued the certificate, and only for its names.
TEST_P(Conformance, ATlsHostIsVerifiedByItsClients) {
  const attack::Identity root({.common_name = "e2e root", .authority = true});
  const attack::Identity middle({.common_name = "e2e issuer", .authority = true}, &root);
  const attack::Identity leaf({.common_name = "secure.test", .sans = "DNS:secure.test"}, &middle);
  const attack::Identity stranger({.common_name = "e2e stranger", .authority = true});
  put(tls_secret("secure", {leaf.pem() + middle.pem(), leaf.key_pem()}));
  put(ingress({.name = "secure",
               .rules = {{"secure.test"}, {"bare.test"}},
               .secret = "secure",
               .tls_hosts = {"secure.test"}}));
  start();
  const std::uint16_t port = weir().https();
  const auto asked = [port](const std::string& host, const std::string& trust) {
    return Client(port, host, trust).ask({host}).backend();
  };
  EXPECT_TRUE(eventually([&] { return asked("secure.test", root.pem()) == "a"; }));
  EXPECT_EQ(asked("secure.test", stranger.pem()), "");
  EXPECT_EQ(asked("bare.test", root.pem()), "") << "no certificate of that authority names it";
  EXPECT_EQ(asked("bare.test", ""), "a");
}

TEST_P(Conformance, LoadBalancing) {
  std::vector<std::unique_ptr<Backend>> replicas;
  std::vector<std::string> addresses;
  for (int i = 0; i < 10; ++i) {
    addresses.push_back("10.200.1." + std::to_string(20 + i));
    replicas.push_back(std::make_unique<Backend>("r" + std::to_string(i), addresses.back()));
  }
  put(service("many"));
  put(slice("many-1", "many", addresses));
  put(simple_ingress("many", "many.test", "many"));
  start();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(ask(weir().http(), {"many.test"}).status, 200);
  for (const auto& replica : replicas) EXPECT_EQ(replica->served(), 10U) << replica->name();
}

INSTANTIATE_TEST_SUITE_P(Api, Conformance, testing::Values("fake", "real"),
                         [](const auto& tested) { return std::string(tested.param); });

}  // namespace
}  // namespace weir::e2e
