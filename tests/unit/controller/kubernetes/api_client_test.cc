#include "controller/kubernetes/api_client.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/fakes/fake_api_server.h"
#include "tests/unit/controller/kubernetes/recording_target.h"

namespace weir::kubernetes {
namespace {

class ApiClientTest : public testing::Test {
 protected:
  ApiClientTest() { access_.server = server_.url(); }
  ApiClient& client() {
    if (!client_) client_ = std::make_unique<ApiClient>(loop_, access_, "weir-test/1");
    return *client_;
  }
  // Makes the call and waits for its end.
  base::Result<ApiResponse> call(ApiRequest request) {
    std::optional<base::Result<ApiResponse>> got;
    const auto handle = client().call(std::move(request), [&](base::Result<ApiResponse> result) {
      got.emplace(std::move(result));
    });
    EXPECT_FALSE(got.has_value());
    EXPECT_TRUE(run_until(loop_, [&] { return got.has_value(); }));
    return std::move(*got);
  }
  base::Result<ApiResponse> get(std::string path) {
    ApiRequest request;
    request.path = std::move(path);
    return call(std::move(request));
  }

  fakes::FakeApiServer server_;
  loop::Loop loop_;
  ClusterAccess access_;
  std::unique_ptr<ApiClient> client_;
};

TEST_F(ApiClientTest, GivesTheObjectOrTheStatusOfAnError) {
  server_.put(R"({"kind":"Service","metadata":{"name":"a"}})");
  const auto good = get("/api/v1/namespaces/default/services/a");
  ASSERT_TRUE(good.ok());
  EXPECT_TRUE(good.value().ok());
  EXPECT_EQ(good.value().body.at_path("metadata", "name").as_string(), "a");

  const auto absent = get("/api/v1/namespaces/default/services/b");
  ASSERT_TRUE(absent.ok());
  const base::Error error = status_error(absent.value().head.status, absent.value().body);
  EXPECT_EQ(error.kind, base::ErrorKind::kNotFound);
  EXPECT_EQ(error.text, "services \"b\" not found (NotFound)");

  const auto unknown = get("/apis/none/v1/things");
  ASSERT_TRUE(unknown.ok());
  EXPECT_EQ(status_error(404, unknown.value().body).text, "404 page not found");
}

TEST_F(ApiClientTest, ExposesRetryAfter) {
  fakes::FakeFaults faults;
  faults.status = 429;
  faults.retry_after = 7;
  server_.set_faults(faults);
  const auto answer = get("/api/v1/services");
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer.value().head.status, 429);
  EXPECT_EQ(answer.value().head.retry_after, std::chrono::seconds(7));
}

TEST_F(ApiClientTest, SendsTheTokenAndReadsItAnewAfterARefusal) {
  std::string pattern = (std::filesystem::temp_directory_path() / "weir-token-XXXXXX").string();
  const std::filesystem::path folder = ::mkdtemp(pattern.data());
  access_.token_file = folder / "token";
  std::ofstream(access_.token_file) << "old\n";
  fakes::FakeFaults faults;
  faults.token = "new";
  server_.set_faults(faults);
  EXPECT_EQ(get("/api/v1/services").value().head.status, 401);
  std::ofstream(access_.token_file) << "new\n";
  EXPECT_EQ(get("/api/v1/services").value().head.status, 401);
  client().refuse_credentials();
  EXPECT_EQ(get("/api/v1/services").value().head.status, 200);
  std::filesystem::remove_all(folder);
}

TEST_F(ApiClientTest, TellsAFailedConnectFromAnAnswerThatIsLate) {
  fakes::FakeFaults faults;
  faults.delay = std::chrono::milliseconds(500);
  server_.set_faults(faults);
  ApiRequest request;
  request.path = "/api/v1/services";
  request.timeout = std::chrono::milliseconds(50);
  const auto late = call(request);
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().kind, base::ErrorKind::kTimeout);
  EXPECT_FALSE(late.error().retryable);
  server_.go_away();
  const auto refused = call(request);
  ASSERT_FALSE(refused.ok());
  EXPECT_TRUE(refused.error().retryable) << refused.error().text;
  EXPECT_NE(refused.error().text.find("127.0.0.1:"), std::string::npos);
}

TEST_F(ApiClientTest, ACallThatIsDroppedNeverCallsBack) {
  bool called = false;
  ApiRequest request;
  request.path = "/api/v1/services";
  auto handle = client().call(request, [&](base::Result<ApiResponse>) { called = true; });
  handle.reset();
  EXPECT_TRUE(get("/api/v1/services").ok());
  EXPECT_FALSE(called);
}

TEST_F(ApiClientTest, PatchesAStatusOnlyWhenTheObjectIsUnchanged) {
  server_.put(R"({"kind":"Ingress","metadata":{"name":"web"},"spec":{"a":1}})");
  const base::Json before = server_.get("Ingress", "default", "web");
  const auto patch = [&](const base::Json& object) {
    std::optional<int> status;
    const auto handle = client().patch_status(
        test_kind("Ingress"), object, base::Json::parse(R"({"loadBalancer":{"x":1}})").value(),
        [&](base::Result<ApiResponse> result) { status = result.value().head.status; });
    EXPECT_TRUE(run_until(loop_, [&] { return status.has_value(); }));
    return status.value_or(0);
  };
  EXPECT_EQ(patch(before), 200);
  const base::Json after = server_.get("Ingress", "default", "web");
  EXPECT_EQ(after.at_path("status", "loadBalancer", "x").as_int(), 1);
  EXPECT_EQ(after.at_path("spec", "a").as_int(), 1);
  EXPECT_EQ(patch(before), 409);
  EXPECT_EQ(patch(after), 200);
  EXPECT_EQ(server_.get("Ingress", "default", "web"), after) << "a write that changes nothing";
}

TEST_F(ApiClientTest, MakesPaths) {
  EXPECT_EQ(api_path(test_kind("Ingress"), "a b", "x"),
            "/apis/networking.k8s.io/v1/namespaces/a%20b/ingresses/x");
  EXPECT_EQ(api_path(test_kind("Service"), ""), "/api/v1/services");
  EXPECT_EQ(api_path(test_kind("IngressClass"), "ignored", "x"),
            "/apis/networking.k8s.io/v1/ingressclasses/x");
}

}  // namespace
}  // namespace weir::kubernetes
