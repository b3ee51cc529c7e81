#include "controller/kubernetes/api_source.h"

#include <gtest/gtest.h>

#include "controller/kubernetes/version.h"
#include "tests/fakes/fake_api_server.h"
#include "tests/unit/controller/kubernetes/recording_target.h"

namespace weir::kubernetes {
namespace {

using std::chrono::milliseconds;

// Everything about a hundred times as fast as in production.
WatchTimings fast() {
  WatchTimings t;
  t.head = milliseconds(400);
  t.stall = milliseconds(300);
  t.stall_single = milliseconds(300);
  t.stalls_to_relist = 4;
  t.initial = milliseconds(250);
  t.backoff_first = milliseconds(20);
  t.backoff_most = milliseconds(200);
  t.connect_min = milliseconds(20);
  t.connect_max = milliseconds(40);
  t.healthy = milliseconds(1000);
  t.quick_end = milliseconds(20);
  t.recheck = milliseconds(100);
  t.empty_grace = milliseconds(300);
  t.page = 3;
  return t;
}

base::Json object(std::string_view kind, std::string_view name, std::string_view mark = "1",
                  std::string_view ns = "default") {
  return base::Json::parse(R"({"apiVersion":"v1","kind":")" + std::string(kind) +
                           R"(","metadata":{"name":")" + std::string(name) + R"(","namespace":")" +
                           std::string(ns) + R"("},"spec":{"mark":")" + std::string(mark) +
                           R"("}})")
      .value();
}

class ApiSourceTest : public testing::Test {
 protected:
  void start(std::vector<std::string> namespaces = {}, bool wait = true) {
    ClusterAccess access;
    access.server = server_.url();
    access.token = "good";
    client_ = std::make_unique<ApiClient>(loop_, access, "weir-test");
    source_ = std::make_unique<ApiSource>(*client_, std::move(namespaces), timings_);
    source_->start(test_kinds(), target_);
    if (wait) {
      ASSERT_TRUE(until([this] { return target_.synced.size() == test_kinds().size(); }));
      target_.calls.clear();
    }
  }
  bool until(const std::function<bool()>& condition) { return run_until(loop_, condition); }
  bool has(const std::string& key) { return target_.objects.contains(key); }
  std::string mark(const std::string& key) {
    return has(key) ? target_.objects[key].at_path("spec", "mark").as_string() : "";
  }
  void faults(const std::function<void(fakes::FakeFaults&)>& change) {
    fakes::FakeFaults now = server_.faults();
    change(now);
    server_.set_faults(now);
  }
  std::size_t removals() {
    return static_cast<std::size_t>(
        std::count_if(target_.calls.begin(), target_.calls.end(),
                      [](const std::string& call) { return call.starts_with("removed"); }));
  }

  fakes::FakeApiServer server_;
  loop::Loop loop_;
  RecordingTarget target_;
  WatchTimings timings_ = fast();
  std::unique_ptr<ApiClient> client_;
  std::unique_ptr<ApiSource> source_;
};

class ApiSourceBothWays : public ApiSourceTest, public testing::WithParamInterface<bool> {};

TEST_P(ApiSourceBothWays, HandsOutWhatIsThereAndThenEachChange) {
  faults([](auto& f) { f.watch_list = GetParam(); });
  for (int i = 0; i < 10; ++i) server_.put(object("Service", "s" + std::to_string(i)));
  server_.put(object("Ingress", "web"));
  start();
  EXPECT_EQ(target_.objects.size(), 11U);
  EXPECT_EQ(target_.objects["Service default/s1"]["kind"].as_string(), "Service");
  EXPECT_EQ(server_.count_requests("GET /api/v1/services?limit=3&continue="), 3U);

  server_.put(object("Service", "s1", "2"));
  server_.remove("Service", "default", "s2");
  server_.put(object("Service", "new"));
  ASSERT_TRUE(until([this] { return has("Service default/new"); }));
  EXPECT_EQ(target_.calls,
            (std::vector<std::string>{"object Service default/s1", "removed Service default/s2",
                                      "object Service default/new"}));
  for (const auto& [kind, times] : target_.synced) EXPECT_EQ(times, 1) << kind;
  EXPECT_TRUE(target_.problems.empty());
  EXPECT_LT(source_->seconds_since_contact(), 5.0);
}

TEST_P(ApiSourceBothWays, ARelistAfterCompactionHandsOutOnlyTheDifference) {
  faults([](auto& f) { f.watch_list = GetParam(); });
  for (int i = 0; i < 5; ++i) server_.put(object("Service", "s" + std::to_string(i)));
  for (const bool as_http : {false, true}) {
    SCOPED_TRACE(as_http ? "HTTP 410" : "ERROR event");
    faults([&](auto& f) { f.http_410 = as_http; });
    if (!source_) start();
    target_.calls.clear();
    faults([](auto& f) { f.drop_events = true; });
    server_.put(object("Service", "s1", as_http ? "3" : "2"));
    if (!as_http) server_.remove("Service", "default", "s2");
    run_for(loop_, milliseconds(100));
    ASSERT_TRUE(target_.calls.empty());
    server_.compact();
    faults([](auto& f) { f.drop_events = false; });
    server_.cut_watches();
    ASSERT_TRUE(until([&] { return mark("Service default/s1") == (as_http ? "3" : "2"); }));
    ASSERT_TRUE(until([&] { return as_http || !has("Service default/s2"); }));
    EXPECT_EQ(target_.calls.size(), as_http ? 1U : 2U);
  }
}

INSTANTIATE_TEST_SUITE_P(WatchListAndList, ApiSourceBothWays, testing::Bool());

TEST_F(ApiSourceTest, AServerThatIgnoresWatchListIsListed) {
  faults([](auto& f) {
    f.ignore_watch_list = true;
    f.bookmark_every = milliseconds(50);
  });
  server_.put(object("Service", "a"));
  start();
  EXPECT_TRUE(has("Service default/a"));
  server_.put(object("Service", "b"));
  EXPECT_TRUE(until([this] { return has("Service default/b"); }));
}

TEST_F(ApiSourceTest, WatchesOnlyTheNamespacesThatItWasGiven) {
  server_.put(object("Service", "a", "1", "one"));
  server_.put(object("Service", "b", "1", "two"));
  server_.put(object("Service", "c", "1", "three"));
  start({"one", "two"});
  EXPECT_EQ(target_.objects.size(), 2U);
  EXPECT_EQ(target_.synced["Service"], 1);
  EXPECT_EQ(server_.count_requests("GET /api/v1/services?"), 0U);
  EXPECT_GE(server_.count_requests("/networking.k8s.io/v1/ingressclasses?"), 1U);
}

TEST_F(ApiSourceTest, ResumesAWatchThatEndsWithoutListingAgain) {
  server_.put(object("Service", "a"));
  start();
  run_for(loop_, milliseconds(50));
  for (int i = 0; i < 3; ++i) {
    server_.close_watches();
    run_for(loop_, milliseconds(60));
  }
  server_.cut_watches();
  server_.put(object("Service", "a", "2"));
  ASSERT_TRUE(until([this] { return mark("Service default/a") == "2"; }));
  std::size_t initial = 0;
  std::size_t resumed = 0;
  for (const std::string& request : server_.requests()) {
    if (request.find("/services?") == std::string::npos) continue;
    ++(request.find("limit=") == std::string::npos ? resumed : initial);
  }
  EXPECT_EQ(initial, 1U);
  EXPECT_GE(resumed, 4U);
}

TEST_F(ApiSourceTest, ASilentWatchIsAskedAgainWithinTheStallTime) {
  server_.put(object("Service", "a"));
  start();
  faults([](auto& f) { f.stall_watches = true; });
  server_.put(object("Service", "a", "2"));
  const std::size_t before = server_.count_requests("/services?");
  ASSERT_TRUE(until([&] { return server_.count_requests("/services?") > before + 1; }));
  EXPECT_EQ(mark("Service default/a"), "1");
  faults([](auto& f) { f.stall_watches = false; });
  ASSERT_TRUE(until([this] { return mark("Service default/a") == "2"; }));
  EXPECT_EQ(removals(), 0U);
}

TEST_F(ApiSourceTest, AWatchThatStaysSilentIsListedAnewInTheEnd) {
  server_.put(object("Service", "a"));
  start();
  const auto lists = [this] { return server_.count_requests("limit="); };
  const std::size_t before = lists();
  faults([](auto& f) { f.drop_events = true; });
  server_.remove("Service", "default", "a");
  server_.put(object("Service", "b"));
  run_for(loop_, milliseconds(50));
  faults([](auto& f) { f.drop_events = false; });
  ASSERT_TRUE(until([this] { return has("Service default/b") && !has("Service default/a"); }));
  EXPECT_GT(lists(), before);
}

TEST_F(ApiSourceTest, BookmarksKeepAQuietWatchAlive) {
  faults([](auto& f) { f.bookmark_every = milliseconds(100); });
  start();
  // The list makes it ready; the watch comes behind that.
  ASSERT_TRUE(until([this] { return server_.count_requests("/services?") == 2; }));
  const std::size_t before = server_.count_requests("/services?");
  run_for(loop_, milliseconds(900));
  EXPECT_EQ(server_.count_requests("/services?"), before);
}

TEST_F(ApiSourceTest, DoubledAndLostEventsLeadToTheSameState) {
  start();
  faults([](auto& f) { f.double_events = true; });
  server_.put(object("Service", "a"));
  server_.put(object("Service", "a", "2"));
  server_.put(object("Service", "b"));
  server_.remove("Service", "default", "b");
  ASSERT_TRUE(until([this] { return removals() == 1; }));
  run_for(loop_, milliseconds(30));
  EXPECT_EQ(mark("Service default/a"), "2");
  EXPECT_EQ(removals(), 1U);
  EXPECT_EQ(target_.calls.size(), 4U);
}

TEST_F(ApiSourceTest, ASuddenlyEmptyListIsHeldAndThenApplied) {
  for (int i = 0; i < 3; ++i) server_.put(object("Service", "s" + std::to_string(i)));
  start();
  faults([](auto& f) { f.empty_lists = true; });
  server_.compact();
  ASSERT_TRUE(until([this] { return target_.problems.contains("Service "); }));
  EXPECT_NE(target_.problems["Service "].find("none of 3"), std::string::npos);
  run_for(loop_, milliseconds(100));
  EXPECT_EQ(removals(), 0U);
  faults([](auto& f) { f.empty_lists = false; });
  ASSERT_TRUE(until([this] { return target_.problems.empty(); }));
  EXPECT_EQ(removals(), 0U);
  EXPECT_EQ(target_.objects.size(), 3U);

  faults([](auto& f) { f.empty_lists = true; });
  server_.compact();
  ASSERT_TRUE(until([this] { return target_.objects.empty(); }));
  EXPECT_TRUE(until([this] { return target_.problems.empty(); }));
}

TEST_F(ApiSourceTest, AListOfFewWhereThereWereManyIsHeldAndWhatItHasIsTaken) {
  for (int i = 0; i < 40; ++i) server_.put(object("Service", "s" + std::to_string(i)));
  start();
  const auto restart_with = [this](int from, int to) {
    server_.go_away();
    for (int i = from; i < to; ++i) server_.remove("Service", "default", "s" + std::to_string(i));
    server_.put(object("Service", "s0", std::to_string(to)));
    server_.compact();
    server_.come_back();
    return until([this, to] { return mark("Service default/s0") == std::to_string(to); });
  };
  ASSERT_TRUE(restart_with(1, 37));  // 4 of 40 stay
  EXPECT_TRUE(until([this] { return removals() == 36U; })) << "not nearly all: believed at once";
  EXPECT_EQ(source_->held_kinds(), 0U);
  for (int i = 1; i < 37; ++i) server_.put(object("Service", "s" + std::to_string(i)));
  ASSERT_TRUE(until([this] { return target_.objects.size() == 40U; }));
  target_.calls.clear();
  ASSERT_TRUE(restart_with(1, 38));  // 3 of 40 stay
  ASSERT_TRUE(until([this] { return target_.problems.contains("Service "); }));
  EXPECT_NE(target_.problems["Service "].find("only 3 of 40"), std::string::npos);
  EXPECT_EQ(source_->held_kinds(), 1U);
  EXPECT_EQ(removals(), 0U);
  EXPECT_TRUE(until([this] { return removals() == 37U; })) << "the grace time is over";
  EXPECT_EQ(source_->held_kinds(), 0U);
  EXPECT_TRUE(target_.problems.empty());
}

TEST_F(ApiSourceTest, AServerThatComesBackAndRefusesIsNotBelieved) {
  server_.put(object("Service", "a"));
  server_.go_away();
  start({}, false);
  run_for(loop_, milliseconds(100));
  faults([](auto& f) { f.denied = {"services"}; });
  server_.come_back();
  run_for(loop_, milliseconds(200));
  EXPECT_FALSE(target_.synced.contains("Service"));
  const std::size_t before = server_.count_requests("/services?");
  run_for(loop_, milliseconds(400));
  EXPECT_GE(server_.count_requests("/services?"), before + 4) << "asked as often as a connect";
  faults([](auto& f) { f.denied.clear(); });
  ASSERT_TRUE(until([this] { return target_.synced.contains("Service"); }));
  EXPECT_TRUE(has("Service default/a"));
}

TEST_F(ApiSourceTest, AForbiddenKindIsReportedSyncedAndRetried) {
  server_.put(object("Service", "a"));
  faults([](auto& f) { f.denied = {"services"}; });
  start();
  EXPECT_NE(target_.problems["Service "].find("services is forbidden: User"), std::string::npos);
  EXPECT_NE(target_.problems["Service "].find("(Forbidden)"), std::string::npos);
  faults([](auto& f) { f.denied.clear(); });
  ASSERT_TRUE(until([this] { return has("Service default/a"); }));
  EXPECT_TRUE(target_.problems.empty());
  faults([](auto& f) { f.denied = {"services"}; });
  server_.close_watches();
  ASSERT_TRUE(until([this] { return target_.problems.contains("Service "); }));
  EXPECT_TRUE(has("Service default/a"));
}

TEST_F(ApiSourceTest, AnOptionalKindMayAppearAndVanish) {
  start();
  EXPECT_TRUE(target_.problems.empty());
  server_.serve({"Gizmo", "example.com", "v1", "gizmos"});
  server_.put(object("Gizmo", "g"));
  ASSERT_TRUE(until([this] { return has("Gizmo default/g"); }));
  server_.unserve("Gizmo");
  ASSERT_TRUE(until([this] { return !has("Gizmo default/g"); }));
  server_.serve({"Gizmo", "example.com", "v1", "gizmos"});
  ASSERT_TRUE(until([this] { return has("Gizmo default/g"); }));
  EXPECT_EQ(target_.synced["Gizmo"], 1);
}

// What a real server does for a second after a definition has changed: its running watches know the
// old schema, leave a new field out of what they send, and end. The object keeps its version.
TEST_F(ApiSourceTest, AFieldThatAnOldSchemaLeftOutComesWhenTheWatchHasEnded) {
  server_.serve({"Gizmo", "example.com", "v1", "gizmos"});
  server_.put(object("Gizmo", "g"));
  server_.put(object("Gizmo", "other"));
  start();
  ASSERT_TRUE(until([this] { return mark("Gizmo default/g") == "1"; }));
  faults([](auto& f) { f.pruned = "mark"; });
  server_.put(object("Gizmo", "g", "2"));
  ASSERT_TRUE(until([this] { return mark("Gizmo default/g").empty(); }));
  faults([](auto& f) { f.pruned.clear(); });
  target_.calls.clear();
  server_.close_watches();
  ASSERT_TRUE(until([this] { return mark("Gizmo default/g") == "2"; }));
  EXPECT_EQ(removals(), 0U);
  EXPECT_EQ(mark("Gizmo default/other"), "1");
}

TEST_F(ApiSourceTest, ARequiredKindThatIsNotServedIsAProblemAndRemovesNothing) {
  server_.put(object("Ingress", "web"));
  start();
  server_.unserve("Ingress");
  ASSERT_TRUE(until([this] { return target_.problems.contains("Ingress "); }));
  EXPECT_NE(target_.problems["Ingress "].find("ingresses.networking.k8s.io/v1 is not served"),
            std::string::npos);
  run_for(loop_, milliseconds(500));
  EXPECT_TRUE(has("Ingress default/web"));
}

TEST_F(ApiSourceTest, ATokenThatIsRefusedIsAProblemUntilItIsGood) {
  faults([](auto& f) { f.token = "other"; });
  start({}, false);
  ASSERT_TRUE(until([this] { return target_.problems.contains("Service "); }));
  EXPECT_NE(target_.problems["Service "].find("Unauthorized"), std::string::npos);
  EXPECT_FALSE(target_.synced.contains("Service"));
  faults([](auto& f) { f.token = "good"; });
  ASSERT_TRUE(until([this] { return target_.synced.contains("Service"); }));
  EXPECT_TRUE(until([this] { return target_.problems.empty(); }));
}

TEST_F(ApiSourceTest, HonoursRetryAfterAndNeverRunsHot) {
  faults([](auto& f) {
    f.status = 429;
    f.retry_after = 1;
  });
  start({}, false);
  run_for(loop_, milliseconds(900));
  EXPECT_EQ(server_.count_requests("/services?"), 1U);
  faults([](auto& f) {
    f.status = 500;
    f.retry_after = 0;
  });
  run_for(loop_, milliseconds(1000));
  EXPECT_LE(server_.count_requests("/services?"), 14U);
  faults([](auto& f) { f.status = 0; });
  EXPECT_TRUE(until([this] { return target_.synced.size() == test_kinds().size(); }));
}

TEST_F(ApiSourceTest, AnAwayServerChangesNothingAndIsFoundAgainQuickly) {
  server_.put(object("Service", "a"));
  start();
  server_.go_away();
  run_for(loop_, milliseconds(300));
  EXPECT_GT(source_->seconds_since_contact(), 0.1);
  EXPECT_TRUE(target_.calls.empty());
  server_.come_back();
  server_.put(object("Service", "b"));
  ASSERT_TRUE(until([this] { return has("Service default/b"); }));
  EXPECT_EQ(removals(), 0U);
}

TEST_F(ApiSourceTest, AServerThatHasJustStartedIsNotGivenTheTimeItAsksFor) {
  server_.put(object("Service", "a"));
  start();
  server_.go_away();
  run_for(loop_, milliseconds(100));
  faults([](auto& f) {
    f.status = 503;
    f.retry_after = 60;
  });
  server_.come_back();
  server_.put(object("Service", "b"));
  const std::size_t before = server_.count_requests("/services?");
  ASSERT_TRUE(until([&] { return server_.count_requests("/services?") > before + 1; }));
  faults([](auto& f) { f.status = 0; });
  EXPECT_TRUE(until([this] { return has("Service default/b"); }));
}

TEST_F(ApiSourceTest, ASlowServerIsWaitedFor) {
  server_.put(object("Service", "a"));
  faults([](auto& f) { f.delay = milliseconds(150); });
  start();
  EXPECT_TRUE(has("Service default/a"));
}

TEST_F(ApiSourceTest, FollowsSingleObjectsOfOnDemandKinds) {
  const KindDescriptor& secret = test_kind("Secret");
  server_.put(object("Secret", "tls", "1", "shop"));
  server_.put(object("Secret", "unrelated", "1", "shop"));
  start();
  source_->want(secret, "shop", "tls");
  source_->want(secret, "shop", "tls");
  source_->want(secret, "shop", "absent");
  ASSERT_TRUE(until([this] { return target_.calls.size() == 2; }));
  EXPECT_EQ(mark("Secret shop/tls"), "1");
  EXPECT_EQ(removals(), 1U);
  server_.put(object("Secret", "tls", "2", "shop"));
  server_.put(object("Secret", "absent", "1", "shop"));
  ASSERT_TRUE(
      until([this] { return mark("Secret shop/tls") == "2" && has("Secret shop/absent"); }));
  source_->unwant(secret, "shop", "tls");
  run_for(loop_, milliseconds(50));
  const std::size_t watches = server_.open_watches();
  source_->unwant(secret, "shop", "tls");
  ASSERT_TRUE(until([&] { return server_.open_watches() == watches - 1; }));
  server_.remove("Secret", "shop", "absent");
  ASSERT_TRUE(until([this] { return !has("Secret shop/absent"); }));
  EXPECT_FALSE(has("Secret shop/unrelated"));
}

TEST_F(ApiSourceTest, AForbiddenSingleObjectIsReportedAndGivenAsAbsent) {
  faults([](auto& f) { f.denied = {"secrets"}; });
  start();
  source_->want(test_kind("Secret"), "shop", "tls");
  ASSERT_TRUE(until([this] { return removals() == 1; }));
  EXPECT_NE(target_.problems["Secret shop/tls"].find("forbidden"), std::string::npos);
  faults([](auto& f) { f.denied.clear(); });
  server_.put(object("Secret", "tls", "1", "shop"));
  EXPECT_TRUE(until([this] { return has("Secret shop/tls"); }));
}

TEST_F(ApiSourceTest, AHundredAndTwentySingleObjectWatchesAllWork) {
  start();
  for (int i = 0; i < 120; ++i) source_->want(test_kind("Secret"), "shop", "s" + std::to_string(i));
  ASSERT_TRUE(until([this] { return removals() == 120; }));
  for (int i = 0; i < 120; ++i) server_.put(object("Secret", "s" + std::to_string(i), "1", "shop"));
  EXPECT_TRUE(until([this] { return target_.objects.size() == 120; }));
}

TEST_F(ApiSourceTest, PositionsAreThoseOfWholeListsAndOfEvents) {
  for (int i = 0; i < 7; ++i) server_.put(object("Service", "s" + std::to_string(i)));  // 3 pages
  start();
  const auto version = [this](const std::string& name) {
    return server_.get("Service", "default", name)
        .at_path("metadata", "resourceVersion")
        .as_string();
  };
  const auto position = [this] { return source_->positions().at("Service"); };
  EXPECT_TRUE(reaches(position().seen, version("s6")));
  EXPECT_EQ(position().newest, version("s6"));
  EXPECT_FALSE(source_->positions().contains("Secret")) << "it is not fetched whole";
  server_.put(object("Service", "s3", "2"));
  ASSERT_TRUE(until([this] { return mark("Service default/s3") == "2"; }));
  EXPECT_EQ(position().seen, version("s3"));
  EXPECT_EQ(position().newest, version("s3"));
  const std::string before = position().seen;
  server_.remove("Service", "default", "s3");
  ASSERT_TRUE(until([this] { return !has("Service default/s3"); }));
  EXPECT_TRUE(reaches(position().seen, before));
}

TEST_F(ApiSourceTest, OneKindMayBeWatchedInANamespaceMore) {
  server_.put(object("Service", "a", "1", "one"));
  server_.put(object("Service", "b", "1", "two"));
  server_.put(object("Ingress", "b", "1", "two"));
  ClusterAccess access;
  access.server = server_.url();
  access.token = "good";
  client_ = std::make_unique<ApiClient>(loop_, access, "weir-test");
  source_ = std::make_unique<ApiSource>(*client_, std::vector<std::string>{"one"}, timings_);
  source_->also_watch("Service", "two");
  source_->also_watch("Service", "one");  // is already
  source_->start(test_kinds(), target_);
  ASSERT_TRUE(until([this] { return target_.synced.size() == test_kinds().size(); }));
  EXPECT_TRUE(has("Service one/a"));
  EXPECT_TRUE(has("Service two/b"));
  EXPECT_FALSE(has("Ingress two/b"));
  EXPECT_TRUE(source_->positions().contains("Service/two"));
}

}  // namespace
}  // namespace weir::kubernetes
