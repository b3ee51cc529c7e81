// What weir relies on in the API server's behaviour, asked over the wire only: runs on the fake
// server, and on a real one when WEIR_TEST_KUBECONFIG names an admin's kubeconfig. A difference is
// a mistake of the fake.

#include <gtest/gtest.h>

#include <cstdlib>

#include "controller/kubernetes/api_source.h"
#include "controller/kubernetes/events.h"
#include "controller/kubernetes/lease.h"
#include "tests/fakes/fake_api_server.h"
#include "tests/unit/controller/kubernetes/recording_target.h"

namespace weir::kubernetes {
namespace {

using base::Json;
using std::chrono::milliseconds;

Json parse(const std::string& text) { return Json::parse(text).value(); }

const KindDescriptor kNamespaces{"Namespace", "", "v1", "namespaces", false};

class ApiProtocolTest : public testing::Test {
 protected:
  ApiProtocolTest() {
    ClusterAccess access;
    if (const char* path = std::getenv("WEIR_TEST_KUBECONFIG")) {
      auto real = kubeconfig_access(path);
      EXPECT_TRUE(real.ok()) << real.error().text;
      access = real.value();
    } else {
      fake_ = std::make_unique<fakes::FakeApiServer>();
      access.server = fake_->url();
    }
    client_ = std::make_unique<ApiClient>(loop_, access, "weir-test");
    ns_ = "p" + std::to_string(std::chrono::system_clock::now().time_since_epoch().count());
    create(kNamespaces,
           parse(R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":")" + ns_ + R"("}})"));
  }

  ApiResponse call(std::string method, std::string path, std::string body = "",
                   std::string type = "application/json") {
    std::optional<base::Result<ApiResponse>> got;
    ApiRequest request;
    request.method = std::move(method);
    request.path = std::move(path);
    request.body = std::move(body);
    request.content_type = std::move(type);
    const auto handle = client_->call(std::move(request), [&](base::Result<ApiResponse> result) {
      got.emplace(std::move(result));
    });
    EXPECT_TRUE(run_until(loop_, [&] { return got.has_value(); }));
    EXPECT_TRUE(got->ok()) << got->error().text;
    return got->value();
  }
  ApiResponse create(const KindDescriptor& kind, const Json& object) {
    return call("POST", api_path(kind, ns_), object.to_string());
  }
  ApiResponse get(const KindDescriptor& kind, const std::string& name) {
    return call("GET", api_path(kind, ns_, name));
  }
  // Changes one annotation.
  ApiResponse annotate(const KindDescriptor& kind, const std::string& name,
                       const std::string& value) {
    return call("PATCH", api_path(kind, ns_, name),
                R"({"metadata":{"annotations":{"mark":")" + value + R"("}}})",
                "application/merge-patch+json");
  }
  Json secret(const std::string& name) {
    return parse(R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":")" + name +
                 R"("},"data":{"k":"dg=="}})");
  }
  Json ingress(const std::string& name) {
    return parse(R"({"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{"name":")" +
                 name +
                 R"("},"spec":{"defaultBackend":{"service":{"name":"s","port":{"number":80}}}}})");
  }
  std::unique_ptr<ApiSource> source() {
    WatchTimings timings;
    timings.page = 2;
    auto out = std::make_unique<ApiSource>(*client_, std::vector<std::string>{ns_}, timings);
    out->start(kinds_, target_);
    EXPECT_TRUE(until([&] { return target_.synced.size() == kinds_.size(); }));
    return out;
  }
  bool until(const std::function<bool()>& condition) { return run_until(loop_, condition); }
  bool has(const std::string& key) { return target_.objects.contains(key); }
  std::string mark(const std::string& key) {
    return has(key) ? target_.objects[key].at_path("metadata", "annotations", "mark").as_string()
                    : "";
  }

  std::unique_ptr<fakes::FakeApiServer> fake_;
  loop::Loop loop_;
  std::unique_ptr<ApiClient> client_;
  std::string ns_;
  std::vector<KindDescriptor> kinds_ = test_kinds();
  RecordingTarget target_;
};

TEST_F(ApiProtocolTest, WatchListAndPagedListGiveTheSameObjects) {
  for (int i = 0; i < 5; ++i) create(test_kind("Ingress"), ingress("i" + std::to_string(i)));
  const auto running = source();
  const auto objects = std::exchange(target_.objects, {});
  for (int i = 0; i < 5; ++i) running->want(test_kind("Ingress"), ns_, "i" + std::to_string(i));
  ASSERT_TRUE(until([&] { return target_.objects.size() == 5; }));
  EXPECT_FALSE(client_->watch_list_refused);
  EXPECT_EQ(std::count_if(objects.begin(), objects.end(),
                          [](const auto& one) { return one.first.starts_with("Ingress "); }),
            5);
  for (const auto& [key, object] : objects) {
    if (!key.starts_with("Ingress ")) continue;
    EXPECT_EQ(target_.objects[key]["metadata"], object["metadata"]) << key;
    EXPECT_EQ(target_.objects[key]["kind"], object["kind"]) << key;
  }
  EXPECT_TRUE(target_.problems.empty());
}

TEST_F(ApiProtocolTest, ChangesArriveInOrderAndADeleteArrivesAsRemoval) {
  const auto running = source();
  target_.calls.clear();
  create(test_kind("Ingress"), ingress("a"));
  annotate(test_kind("Ingress"), "a", "2");
  ASSERT_TRUE(until([&] { return mark("Ingress " + ns_ + "/a") == "2"; }));
  call("DELETE", api_path(test_kind("Ingress"), ns_, "a"));
  ASSERT_TRUE(until([&] { return !has("Ingress " + ns_ + "/a"); }));
  const std::string key = "Ingress " + ns_ + "/a";
  EXPECT_EQ(target_.calls,
            (std::vector<std::string>{"object " + key, "object " + key, "removed " + key}));
}

TEST_F(ApiProtocolTest, ASingleObjectWatchSeesThatObjectOnly) {
  create(test_kind("Secret"), secret("other"));
  const auto running = source();
  running->want(test_kind("Secret"), ns_, "tls");
  const std::string key = "Secret " + ns_ + "/tls";
  ASSERT_TRUE(
      until([&] { return !target_.calls.empty() && target_.calls.back() == "removed " + key; }));
  create(test_kind("Secret"), secret("tls"));
  ASSERT_TRUE(until([&] { return has(key); }));
  EXPECT_EQ(target_.objects[key].at_path("data", "k").as_string(), "dg==");
  call("DELETE", api_path(test_kind("Secret"), ns_, "tls"));
  ASSERT_TRUE(until([&] { return !has(key); }));
  EXPECT_FALSE(has("Secret " + ns_ + "/other"));
}

TEST_F(ApiProtocolTest, TwoHundredAndFiftyWatchesAllSync) {
  const auto running = source();
  for (int i = 0; i < 250; ++i) running->want(test_kind("Secret"), ns_, "s" + std::to_string(i));
  const auto answered = [&] {
    return std::count_if(target_.calls.begin(), target_.calls.end(), [](const std::string& call) {
      return call.starts_with("removed Secret");
    });
  };
  EXPECT_TRUE(run_until(loop_, [&] { return answered() == 250; }, std::chrono::seconds(30)));
}

TEST_F(ApiProtocolTest, StatusIsWrittenOnlyThroughItsSubresourceAndOnlyUnchanged) {
  Json object = ingress("web");
  object.set("status", parse(R"({"loadBalancer":{"ingress":[{"ip":"1.1.1.1"}]}})"));
  const Json made = create(test_kind("Ingress"), object).body;
  EXPECT_TRUE(made.at_path("status", "loadBalancer", "ingress").is_null());
  const auto patch = [&](const Json& from) {
    std::optional<ApiResponse> got;
    const auto handle = client_->patch_status(
        test_kind("Ingress"), from, parse(R"({"loadBalancer":{"ingress":[{"ip":"10.0.0.1"}]}})"),
        [&](base::Result<ApiResponse> result) { got = result.value(); });
    EXPECT_TRUE(until([&] { return got.has_value(); }));
    return *got;
  };
  const ApiResponse first = patch(made);
  ASSERT_EQ(first.head.status, 200);
  EXPECT_EQ(first.body.at_path("metadata", "generation").as_int(), 1);
  EXPECT_EQ(first.body.at_path("status", "loadBalancer", "ingress").items().size(), 1U);
  const ApiResponse conflict = patch(made);
  EXPECT_EQ(conflict.head.status, 409);
  EXPECT_EQ(conflict.body["reason"].as_string(), "Conflict");
  const ApiResponse same = patch(first.body);
  EXPECT_EQ(same.head.status, 200);
  EXPECT_EQ(same.body.at_path("metadata", "resourceVersion"),
            first.body.at_path("metadata", "resourceVersion"));
  // A write of the object leaves the status alone.
  EXPECT_EQ(annotate(test_kind("Ingress"), "web", "x").body["status"], first.body["status"]);
}

TEST_F(ApiProtocolTest, ErrorsCarryAStatusWithAReason) {
  const ApiResponse absent = get(test_kind("Secret"), "absent");
  EXPECT_EQ(absent.head.status, 404);
  EXPECT_EQ(absent.body["reason"].as_string(), "NotFound");
  EXPECT_EQ(absent.body["message"].as_string(), "secrets \"absent\" not found");
  create(test_kind("Secret"), secret("a"));
  const ApiResponse again = create(test_kind("Secret"), secret("a"));
  EXPECT_EQ(again.head.status, 409);
  EXPECT_EQ(again.body["reason"].as_string(), "AlreadyExists");
  EXPECT_EQ(again.body["message"].as_string(), "secrets \"a\" already exists");
  Json versioned = secret("b");
  versioned.find("metadata")->set("resourceVersion", Json("7"));
  EXPECT_EQ(create(test_kind("Secret"), versioned).head.status, 500);
  EXPECT_EQ(call("GET", "/apis/no.such.group/v1/things").head.status, 404);
  EXPECT_EQ(call("GET", api_path(test_kind("Secret"), ns_) + "?limit=1&continue=bad").head.status,
            400);
  EXPECT_EQ(call("GET", api_path(test_kind("Secret"), ns_) +
                            "?watch=1&sendInitialEvents=true&resourceVersion=")
                .head.status,
            422);
  EXPECT_EQ(
      call("GET", api_path(test_kind("Secret"), ns_) + "?watch=1&resourceVersion=x").head.status,
      500);
}

TEST_F(ApiProtocolTest, AVersionThatIsTooOldIsAnErrorEvent) {
  struct Collect final : StreamTarget {
    void on_status(const ApiHead& head) override { status = head.status; }
    void on_bytes(std::string_view bytes) override { text.append(bytes); }
    void on_end(base::Result<void>) override { ended = true; }
    int status = 0;
    std::string text;
    bool ended = false;
  } collect;
  if (!fake_) GTEST_SKIP() << "a real server forgets versions only after minutes";
  fake_->compact();
  ApiRequest request;
  request.path = api_path(test_kind("Secret"), ns_) + "?watch=1&resourceVersion=1&timeoutSeconds=5";
  const auto stream = client_->stream(request, collect);
  ASSERT_TRUE(until([&] { return collect.ended; }));
  EXPECT_EQ(collect.status, 200);
  const Json event = parse(collect.text);
  EXPECT_EQ(event["type"].as_string(), "ERROR");
  EXPECT_EQ(event.at_path("object", "code").as_int(), 410);
  EXPECT_EQ(event.at_path("object", "reason").as_string(), "Expired");
}

TEST_F(ApiProtocolTest, ALeaseIsTakenRenewedAndReleased) {
  std::vector<bool> changes;
  LeaderElection one(*client_, ns_, "leader", "one",
                     [&](bool leading) { changes.push_back(leading); },
                     {milliseconds(2000), milliseconds(100), milliseconds(1000)});
  one.start();
  ASSERT_TRUE(until([&] { return one.leading(); }));
  run_for(loop_, milliseconds(600));
  EXPECT_TRUE(one.leading());
  const KindDescriptor leases{"Lease", "coordination.k8s.io", "v1", "leases"};
  const Json lease = get(leases, "leader").body;
  EXPECT_EQ(lease.at_path("spec", "holderIdentity").as_string(), "one");
  EXPECT_EQ(lease.at_path("spec", "leaseDurationSeconds").as_int(), 2);
  EXPECT_FALSE(lease.at_path("spec", "renewTime") == lease.at_path("spec", "acquireTime"));
  bool released = false;
  one.release([&] { released = true; });
  ASSERT_TRUE(until([&] { return released; }));
  EXPECT_EQ(get(leases, "leader").body.at_path("spec", "holderIdentity").as_string(), "");
}

TEST_F(ApiProtocolTest, AnEventIsCreatedAndFolded) {
  const Json object = create(test_kind("Ingress"), ingress("web")).body;
  EventRecorder recorder(*client_, "weir.ingress/controller", "pod-1",
                         {10, milliseconds(1000), milliseconds(50), milliseconds(60'000)});
  for (int i = 0; i < 5; ++i)
    recorder.record(event_object(object), {true, "BackendMissing", "Translate", "no such service"});
  const KindDescriptor events{"Event", "events.k8s.io", "v1", "events"};
  Json found;
  ASSERT_TRUE(until([&] {
    const auto list = call("GET", api_path(events, ns_)).body["items"].items();
    if (list.size() != 1) return false;
    found = list[0];
    return found.at_path("series", "count").as_int() == 5;
  }));
  EXPECT_EQ(found.at_path("regarding", "name").as_string(), "web");
  EXPECT_EQ(found["note"].as_string(), "no such service");
  EXPECT_EQ(recorder.dropped(), 0U);
}

}  // namespace
}  // namespace weir::kubernetes
