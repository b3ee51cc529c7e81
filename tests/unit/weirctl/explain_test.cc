#include "weirctl/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "common/base/log.h"
#include "common/base/text.h"
#include "common/crypto/certificate.h"
#include "weirctl/sources.h"
#include "weirctl/unix_socket.h"

namespace weir::weirctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kManifests = R"(
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: weir}
spec: {controller: weir.ingress/controller}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop}
spec:
  ingressClassName: weir
  rules:
  - host: web.test
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: a, port: {number: 80}}}}
      - {path: /api, pathType: Prefix, backend: {service: {name: gone, port: {number: 80}}}}
---
apiVersion: v1
kind: Service
metadata: {name: a, namespace: shop}
spec: {ports: [{name: http, port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: a-1, namespace: shop, labels: {kubernetes.io/service-name: a}}
addressType: IPv4
ports: [{name: http, port: 8080}]
endpoints: [{addresses: [10.0.0.7]}]
)";

class FolderTest : public testing::Test {
 protected:
  FolderTest() {
    base::log_start("test", base::LogLevel::kError);
    folder_ = (std::filesystem::temp_directory_path() / "weirctl-test-XXXXXX").string();
    EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
    std::ofstream(folder_ + "/all.yaml") << kManifests;
  }
  ~FolderTest() override { std::filesystem::remove_all(folder_); }

  Configuration read() const {
    admin::Options options;
    options.manifests = folder_;
    options.bind_address = "127.0.0.1";
    options.watch_ingress_without_class = true;
    auto out = from_folder(options);
    EXPECT_TRUE(out.ok()) << out.error().text;
    return std::move(out).value();
  }
  static std::string why(const Configuration& configuration, const std::string& url) {
    EXPECT_EQ(configuration.tables.size(), 1U);
    if (configuration.tables.empty()) return "no table";
    return explain_text(explain(configuration, "", make_question("GET", url, {}).value()));
  }
  std::string folder_;
};

TEST_F(FolderTest, TheRuleThatTakesItIsNamedWithItsEndpoints) {
  const std::string text = why(read(), "http://web.test/page");
  EXPECT_THAT(text, HasSubstr("GET web.test/page\nmatched\n"));
  EXPECT_THAT(text, HasSubstr("TAKES IT  "));
  EXPECT_THAT(text, HasSubstr("Ingress shop/web spec.rules[0].http.paths[0]"));
  EXPECT_THAT(text, HasSubstr("10.0.0.7:8080"));
}

TEST_F(FolderTest, ARuleWithoutAServiceSaysWhatItAnswers) {
  const Configuration configuration = read();
  const std::string text = why(configuration, "http://web.test/api/x");
  EXPECT_THAT(text, HasSubstr("Ingress shop/web spec.rules[0].http.paths[1]"));
  EXPECT_THAT(text, HasSubstr("503"));
  EXPECT_THAT(text, Not(HasSubstr("10.0.0.7")));
  ASSERT_EQ(configuration.reports.size(), 1U);
  EXPECT_EQ(configuration.reports.front().reason, "ServiceNotFound");
}

TEST_F(FolderTest, WhatNothingTakesIsA404) {
  EXPECT_THAT(why(read(), "http://other.test/"), HasSubstr("404"));
  EXPECT_THAT(
      explain_text(explain(read(), "no such table", make_question("GET", "http://a/", {}).value())),
      HasSubstr("404: there is no route table 'no such table'\n"));
}

TEST(Question, IsMadeOfUrlAndHeaders) {
  const auto question =
      make_question("POST", "https://a.test:8443/x?y=1", {"X-One: 1", "HOST: b.test"});
  ASSERT_TRUE(question.ok());
  EXPECT_EQ(question.value().method, "POST");
  EXPECT_EQ(question.value().host, "b.test") << "a Host header wins over the URL";
  EXPECT_EQ(question.value().target, "/x?y=1");
  EXPECT_THAT(question.value().headers,
              ElementsAre(std::pair("x-one", "1"), std::pair("host", "b.test")));
  EXPECT_EQ(make_question("GET", "http://a.test", {}).value().target, "/");
  EXPECT_EQ(make_question("GET", "http://a.test?q", {}).value().target, "/?q");
}

TEST(Question, WrongOnesNameTheAcceptedForm) {
  EXPECT_FALSE(make_question("GET", "http://a:0/", {}).ok());
  EXPECT_EQ(make_question("GET", "https://[::1]:8443/", {}).value().port, 8443);
  EXPECT_EQ(make_question("GET", "https://[::1]/", {}).value().server_name, "[::1]");
  for (const char* url : {"a.test/x", "ftp://a.test/", "://a.test", "http://", "http:///x"}) {
    const auto question = make_question("GET", url, {});
    ASSERT_FALSE(question.ok()) << url;
    EXPECT_THAT(question.error().text, HasSubstr(std::string("'") + url + "'"));
  }
  for (const char* header : {"no colon", ": value"}) {
    const auto question = make_question("GET", "http://a/", {header});
    ASSERT_FALSE(question.ok());
    EXPECT_THAT(question.error().text, HasSubstr("accepted: 'Name: value'"));
  }
}

// Everything between listener and endpoint, with the object that each comes from.
TEST_F(FolderTest, EveryDecisionHasItsOrigin) {
  const crypto::PemPair pem = crypto::make_self_signed({"web.test"}, 1'800'000'000, 3650);
  std::ofstream(folder_ + "/tls.yaml") << R"(
apiVersion: v1
kind: Secret
metadata: {name: web-tls, namespace: shop}
type: kubernetes.io/tls
data: {tls.crt: )" << base::base64_encode(pem.certificate)
                                       << ", tls.key: " << base::base64_encode(pem.key) << R"(}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: tls
  namespace: shop
  annotations: {nginx.ingress.kubernetes.io/proxy-body-size: 8m}
spec:
  ingressClassName: weir
  tls: [{hosts: [web.test], secretName: web-tls}]
  rules:
  - host: web.test
    http: {paths: [{path: /up, pathType: Exact, backend: {service: {name: a, port: {number: 80}}}}]}
)";
  const Configuration configuration = read();
  const base::Json answer =
      explain(configuration, "", make_question("PUT", "https://web.test/up", {}).value());
  EXPECT_EQ(answer.at_path("listener", "name").as_string(), "https");
  EXPECT_EQ(answer.at_path("listener", "reason").as_string(), "takes https at port 443");
  const base::Json& certificate = answer.at_path("tls", "certificates").items().at(0);
  EXPECT_EQ(certificate["name"].as_string(), "shop/web-tls");
  EXPECT_EQ(certificate["names"].items().at(0).as_string(), "web.test");
  EXPECT_EQ(answer["host_entry"].as_string(), "web.test");
  const base::Json& winner = answer["candidates"].items().at(0);
  EXPECT_TRUE(winner["won"].as_bool());
  EXPECT_EQ(winner.at_path("from", "name").as_string(), "tls");
  EXPECT_EQ(winner.at_path("from", "field").as_string(), "spec.rules[0].http.paths[0]");
  const base::Json& backend = answer.at_path("route", "backends").items().at(0);
  EXPECT_EQ(backend["service"].as_string(), "shop/a");
  EXPECT_EQ(backend["endpoints"].items().at(0)["id"].as_string(), "10.0.0.7:8080");
  EXPECT_EQ(backend["endpoints"].items().at(0)["from"].as_string(), "EndpointSlice shop/a-1");
  std::map<std::string, std::string> origins;
  for (const base::Json& policy : answer.at_path("route", "policies").items())
    origins[policy["policy"].as_string()] = policy["from"].to_string();
  EXPECT_EQ(origins["body_size"],
            R"(["metadata.annotations[nginx.ingress.kubernetes.io/proxy-body-size]"])");
  EXPECT_EQ(origins["hsts"], "[]") << "the controller's default";
  const std::string text = explain_text(answer);
  EXPECT_THAT(text, HasSubstr("certificate: shop/web-tls for web.test, until "));
  EXPECT_THAT(text, HasSubstr("policy body_size {\"max_bytes\":8388608}  [metadata.annotations["));
  EXPECT_THAT(text, HasSubstr("    10.0.0.7:8080  [EndpointSlice shop/a-1]"));
}

TEST_F(FolderTest, APortThatNobodyHasIsSaid) {
  EXPECT_THAT(
      why(read(), "http://web.test:8080/"),
      HasSubstr("listener: http on 127.0.0.1:80: the one for http; port 8080 is none of its "
                "own, a Service must map it"));
}

TEST(Dump, BecomesTablesAndEndpointsOrSaysWhatIsWrong) {
  const auto dump = base::Json::parse(
      R"({"tables":{},"clusters":{"c":{"endpoints":[{"id":"10.0.0.1:80"},{"id":"10.0.0.2:80"}]}}})");
  const auto configuration = from_dump(dump.value());
  ASSERT_TRUE(configuration.ok());
  const base::Json& endpoints = configuration.value().endpoints.at("c");
  ASSERT_EQ(endpoints.items().size(), 2U);
  EXPECT_EQ(endpoints.items().at(1)["id"].as_string(), "10.0.0.2:80");
  const auto broken =
      from_dump(base::Json::parse(R"({"tables":{"t":{"routes":[{"host":7}]}}})").value());
  ASSERT_FALSE(broken.ok());
  EXPECT_THAT(broken.error().text, HasSubstr("dump: route"));
}

TEST(DumpSocket, ThatIsNotThereIsNamed) {
  const auto answer = fetch_unix("/nowhere/dump.sock", "/");
  ASSERT_FALSE(answer.ok());
  EXPECT_THAT(answer.error().text, HasSubstr("/nowhere/dump.sock"));
}

}  // namespace
}  // namespace weir::weirctl
