// The session between controller and dataplane: refusals, resync, versions, credentials.

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <functional>
#include <map>

#include "tests/push/stage.h"

namespace weir::push {
namespace {

using model::make_resource;
using model::ResourcePtr;

// A resource as another version might write it: `json` in place of what the field list gives.
ResourcePtr with_json(const ResourcePtr& like, const std::string& json) {
  auto out = std::make_shared<model::Resource>(*like);
  out->json = json;
  out->hash = model::resource_hash(out->key, out->json, out->blobs);
  return out;
}

std::string digest_of(const wire::Hello& hello, ResourceType type) {
  for (const wire::TypeDigest& one : hello.digests) {
    if (one.type == type) return one.digest;
  }
  return {};
}

TEST(PushSessions, ABadResourceRefusesItsWholeTransactionByName) {
  struct Case {
    std::string name;
    ResourcePtr bad;
    ResourceType type;
    std::string key;
    std::string word;  // in the reason
  };
  Stage stage;
  model::Route regex = make_route("bad", "/(", "aa");
  regex.match.path.kind = model::PathKind::kRegex;
  model::Route header = make_route("bad", "/", "aa");
  header.match.headers = {{"X-A", model::ValueKind::kRegex, "["}};
  const model::Route path = make_route("bad", "no-slash", "aa");
  model::Listener port_zero = make_listener("bad", 0);
  model::Listener address = make_listener("bad", 80);
  address.binds[0].address = "localhost";
  model::Endpoints endpoints = make_endpoints("bad", {1});
  endpoints.endpoints[0].address = "backend.example.test";
  const ResourcePtr route = make_resource(make_route("bad", "/", "aa"));
  const std::string key = "main/a.test/bad";
  const TestCertificate certificate("bad", {"bad.test"});
  auto no_key = std::make_shared<model::Resource>(*certificate.resource);
  no_key->blobs.pop_back();
  no_key->hash = model::resource_hash(no_key->key, no_key->json, no_key->blobs);
  for (const Case& c : {
           Case{"regex", make_resource(regex), ResourceType::kRoute, key, "("},
           {"header regex", make_resource(header), ResourceType::kRoute, key, "["},
           {"path", make_resource(path), ResourceType::kRoute, key, "no-slash"},
           {"port", make_resource(port_zero), ResourceType::kListener, "bad", "binds[0].port"},
           {"address", make_resource(address), ResourceType::kListener, "bad", "localhost"},
           {"clash", make_resource(make_listener("z-bad", stage.port)), ResourceType::kListener,
            "z-bad", "main"},
           {"endpoint", make_resource(endpoints), ResourceType::kEndpoints, "bad",
            "backend.example.test"},
           {"no key", no_key, ResourceType::kCertificate, "bad", "1 blobs"},
           {"no JSON", with_json(route, "{"), ResourceType::kRoute, key, ""},
           {"type", with_json(route, R"({"fixed_status":"x"})"), ResourceType::kRoute, key,
            "fixed_status"},
           {"enum", with_json(route, R"({"match":{"path":{"kind":"glob"}}})"), ResourceType::kRoute,
            key, "kind"},
           {"range", with_json(route, R"({"fixed_status":99999})"), ResourceType::kRoute, key,
            "fixed_status"},
       }) {
    SCOPED_TRACE(c.name);
    const model::Route innocent = make_route("innocent", "/innocent", "bb");
    const Verdict verdict = stage.controller->push({make_resource(innocent), c.bad});
    EXPECT_TRUE(verdict.answered && !verdict.applied) << verdict.to_string();
    const std::string why = verdict.why(c.type, c.key);
    EXPECT_NE(why, "") << verdict.to_string();
    EXPECT_NE(why.find(c.word), std::string::npos) << why;
    EXPECT_EQ(verdict.reasons.size(), 1U) << verdict.to_string();
    EXPECT_EQ(stage.get("/innocent").server(), "aa") << "applied in part";
  }
  stage.must_push({make_resource(make_route("innocent", "/innocent", "bb"))});
  EXPECT_EQ(stage.get("/innocent").server(), "bb") << "the rest is taken when sent again";
}

TEST(PushSessions, ARouteToNowhereIsReportedAndAnswers503) {
  Stage stage;
  const Verdict verdict =
      stage.controller->push({make_resource(make_route("lost", "/lost", "nowhere"))});
  ASSERT_TRUE(verdict.answered && verdict.applied) << verdict.to_string();
  EXPECT_NE(verdict.why(ResourceType::kRoute, "main/a.test/lost").find("nowhere"),
            std::string::npos);
  EXPECT_EQ(stage.get("/lost").status, 503);
  EXPECT_EQ(stage.get("/").status, 200);
}

TEST(PushSessions, UnknownMembersAreIgnoredAndAbsentOnesAreDefaults) {
  Stage stage;
  const ResourcePtr plain = make_resource(make_route("skew", "/skew", "bb"));
  std::string later = plain->json;
  later.insert(1, R"("mirror":{"cluster":"x","percent":5},"priority":7,)");
  const std::size_t match = later.find(R"("match":{)");
  ASSERT_NE(match, std::string::npos) << later;
  later.insert(match + 9, R"("cookies":[{"name":"a"}],)");
  stage.must_push({with_json(plain, later)});
  EXPECT_EQ(stage.get("/skew").server(), "bb") << "a sender of version N+1";

  const ResourcePtr host = make_resource(make_host("old.test"));
  model::Route route = make_route("old", "/", "");
  route.host = "old.test";
  const std::string earlier =
      R"({"table":"main","host":"old.test","id":"old","backends":[{"cluster":"bb"}]})";
  stage.must_push({host, with_json(make_resource(route), earlier)});
  EXPECT_EQ(get(stage.door(), "/any/path", "old.test").server(), "bb") << "of version N-1";
}

TEST(PushSessions, UnknownMembersOfMessagesAreIgnored) {
  Stage stage;
  Controller& controller = *stage.controller;
  const ResourcePtr route = make_resource(make_route("later", "/later", "bb"));
  controller.send(
      {wire::FrameType::kBegin, R"({"version":77,"reason":"because","staged":true})", {}});
  wire::Frame upsert = wire::upsert_frame(*route);
  upsert.json.insert(1, R"("origin":"here",)");
  controller.send(upsert);
  controller.send({wire::FrameType::kCommit, R"({"version":77,"upserts":1,"sum":3})", {}});
  const auto answer = controller.read();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->type, wire::FrameType::kAck) << answer->json;
  EXPECT_EQ(stage.get("/later").server(), "bb");
}

// In a child with another user: what the dataplane sent it, or -1 when it could not connect.
ssize_t bytes_sent_to_stranger(const std::string& path) {
  ::chmod(path.c_str(), 0777);  // so that it is the credentials that refuse
  int pipe_ends[2];
  if (::pipe(pipe_ends) != 0) return -2;
  const pid_t child = ::fork();
  if (child == 0) {
    ssize_t got = -1;
    const bool other = ::setgid(65'534) == 0 && ::setuid(65'534) == 0;
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    if (other && ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
      char buffer[256];
      got = ::recv(fd, buffer, sizeof buffer, 0);
    }
    [[maybe_unused]] const ssize_t put = ::write(pipe_ends[1], &got, sizeof got);
    ::_exit(0);
  }
  ssize_t got = -2;
  [[maybe_unused]] const ssize_t read = ::read(pipe_ends[0], &got, sizeof got);
  ::waitpid(child, nullptr, 0);
  ::close(pipe_ends[0]);
  ::close(pipe_ends[1]);
  return got;
}

TEST(PushSessions, AnotherUserIsRefusedAndDoesNotDisturb) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  Stage stage;
  EXPECT_EQ(bytes_sent_to_stranger(stage.dataplane.control_socket()), 0)
      << "closed without a hello";
  EXPECT_NE(stage.dataplane.log().find("\"uid\":65534"), std::string::npos);
  stage.must_push({make_resource(make_route("r", "/r", "bb"))});
  EXPECT_EQ(stage.get("/r").server(), "bb") << "the session that was there goes on";
}

TEST(PushSessions, AControllerThatComesBackFindsEverythingAndClosesNothing) {
  Stage stage({.workers = 2});
  std::vector<Client> clients;
  for (int i = 0; i < 10; ++i) {
    clients.emplace_back(stage.door());
    ASSERT_EQ(clients.back().get("/", "a.test").status, 200);
  }
  const wire::Hello first = stage.controller->hello();
  stage.controller = nullptr;
  for (Client& client : clients) EXPECT_EQ(client.get("/", "a.test").status, 200);

  stage.controller = std::make_unique<Controller>(stage.dataplane.control_socket());
  const wire::Hello& hello = stage.controller->hello();
  EXPECT_EQ(hello.instance, first.instance);
  EXPECT_EQ(hello.applied, 1U);
  std::map<ResourceType, wire::Digest> expected;
  for (const ResourcePtr& resource : plain_setup(stage)) {
    expected[resource->key.type].add(resource->key.name, resource->hash);
  }
  for (std::size_t i = 0; i < model::kResourceTypes; ++i) {
    const auto type = static_cast<ResourceType>(i);
    EXPECT_EQ(digest_of(hello, type), expected[type].to_string());
  }
  std::map<std::string, std::string> keys;
  for (const wire::KeyHash& key : stage.controller->keys(ResourceType::kCluster)) {
    keys.emplace(key.name, key.hash);
  }
  EXPECT_EQ(keys,
            (std::map<std::string, std::string>{{"aa", make_resource(make_cluster("aa"))->hash},
                                                {"bb", make_resource(make_cluster("bb"))->hash}}));
  const Verdict full = stage.controller->push(plain_setup(stage), {}, true);
  EXPECT_TRUE(full.clean()) << full.to_string();
  for (Client& client : clients) EXPECT_EQ(client.get("/", "a.test").status, 200);
}

TEST(PushSessions, AFullTransactionDropsWhatItDoesNotName) {
  Stage stage;
  stage.must_push({make_resource(make_route("extra", "/extra", "bb"))});
  EXPECT_EQ(stage.get("/extra").server(), "bb");
  const Verdict full = stage.controller->push(plain_setup(stage), {}, true);
  EXPECT_TRUE(full.clean()) << full.to_string();
  EXPECT_EQ(stage.get("/extra").server(), "aa");
}

TEST(PushSessions, AWorkerThatDiedStartsEmptyAndServesWhatIsPushedAgain) {
  Stage stage;
  const wire::Hello first = stage.controller->hello();
  const pid_t worker = stage.dataplane.worker();
  ASSERT_GT(worker, 1);
  ASSERT_EQ(::kill(worker, SIGKILL), 0);
  EXPECT_TRUE(stage.controller->ends());
  Client waiting(stage.door());  // the supervisor keeps the listening sockets
  EXPECT_TRUE(waiting.is_open());
  waiting.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
  stage.controller = std::make_unique<Controller>(stage.dataplane.control_socket());
  const wire::Hello& hello = stage.controller->hello();
  EXPECT_NE(hello.instance, first.instance);
  EXPECT_EQ(hello.applied, 0U);
  for (const wire::TypeDigest& one : hello.digests) {
    EXPECT_EQ(one.digest, wire::Digest().to_string());
  }
  EXPECT_EQ(get({.port = stage.dataplane.admin_port()}, "/readyz", "localhost").status == 200,
            false);
  stage.must_push(plain_setup(stage));
  EXPECT_EQ(waiting.read().status, 200) << "it had waited in the backlog";
  EXPECT_EQ(stage.get("/").status, 200);
}

TEST(PushSessions, TheNewestControllerSupersedesTheOlder) {
  Stage stage;
  Controller newer(stage.dataplane.control_socket());
  ASSERT_TRUE(newer.connected());
  const auto told = stage.controller->read();
  ASSERT_TRUE(told.has_value());
  EXPECT_EQ(told->type, wire::FrameType::kSuperseded);
  EXPECT_TRUE(stage.controller->ends());
  const Verdict verdict = newer.push({make_resource(make_route("new", "/new", "bb"))});
  EXPECT_TRUE(verdict.clean()) << verdict.to_string();
  EXPECT_EQ(stage.get("/new").server(), "bb");
}

// Each ends the session, and what had come of its transaction is forgotten.
TEST(PushSessions, AFrameOutOfPlaceEndsTheSessionAndNothingElse) {
  using wire::FrameType;
  const ResourcePtr route = make_resource(make_route("cut", "/cut-route", "bb"));
  struct Case {
    std::string name;
    std::function<void(Controller&)> act;
  };
  const auto begin = [](Controller& c, std::uint64_t version) {
    c.send(wire::to_frame(FrameType::kBegin, wire::Begin{version, false}));
  };
  Stage stage;
  for (const Case& c : std::vector<Case>{
           {"upsert without begin", [&](Controller& c) { c.send(wire::upsert_frame(*route)); }},
           {"commit of another count",
            [&](Controller& c) {
              begin(c, 50);
              c.send(wire::upsert_frame(*route));
              c.send(wire::to_frame(FrameType::kCommit, wire::Commit{50, 2, 0}));
            }},
           {"begin twice",
            [&](Controller& c) {
              begin(c, 60);
              begin(c, 61);
            }},
           {"a hello", [](Controller& c) { c.send({FrameType::kHello, "{}", {}}); }},
           {"no frame", [](Controller& c) { c.send_bytes(std::string(64, '\xff')); }},
           {"an unknown type",
            [](Controller& c) {
              std::string bytes;
              ASSERT_TRUE(wire::append_frame({FrameType::kBegin, "{}", {}}, bytes).ok());
              bytes[4] = 99;
              c.send_bytes(bytes);
            }},
       }) {
    SCOPED_TRACE(c.name);
    Controller controller(stage.dataplane.control_socket());
    ASSERT_TRUE(controller.connected());
    c.act(controller);
    EXPECT_TRUE(controller.ends());
    EXPECT_EQ(stage.get("/cut-route").server(), "aa");
  }
  Controller last(stage.dataplane.control_socket());
  ASSERT_TRUE(last.connected());
  EXPECT_TRUE(last.push({route}).clean());
  EXPECT_EQ(stage.get("/cut-route").server(), "bb");
}

}  // namespace
}  // namespace weir::push
