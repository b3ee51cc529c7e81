// The fields of a listener: each changes an answer.

#include <gtest/gtest.h>

#include <vector>

#include "tests/push/stage.h"

namespace weir::push {
namespace {

using model::make_resource;

TEST(PushListeners, EveryBindOfAListenerIsServed) {
  Stage stage;
  const std::uint16_t second = free_port();
  stage.listener.binds.push_back({"127.0.0.1", second});
  EXPECT_FALSE(Client({.port = second}).is_open());
  stage.must_push({make_resource(stage.listener)});
  EXPECT_EQ(get({.port = second}, "/", "a.test").status, 200);
  EXPECT_EQ(stage.get("/").status, 200);

  stage.listener.binds.pop_back();
  stage.must_push({make_resource(stage.listener)});
  EXPECT_FALSE(Client({.port = second}).is_open()) << "a bind that went is closed";
}

TEST(PushListeners, ServesBothAddressFamiliesOnOnePort) {
  Stage stage;
  model::Listener dual = make_listener("dual", free_port());
  const std::uint16_t port = dual.binds[0].port;
  dual.binds = {{"0.0.0.0", port}, {"::", port}};
  stage.must_push({make_resource(dual)});
  EXPECT_EQ(get({.port = port, .address = "127.0.0.1"}, "/", "a.test").status, 200);
  EXPECT_EQ(field_of(stage.aa.last(), "X-Real-IP"), "127.0.0.1");
  EXPECT_EQ(get({.port = port, .address = "::1"}, "/", "a.test").status, 200);
  EXPECT_EQ(field_of(stage.aa.last(), "X-Real-IP"), "::1");
  dual.binds.pop_back();
  stage.must_push({make_resource(dual)});
  EXPECT_FALSE(Client({.port = port, .address = "::1"}).is_open());
}

TEST(PushListeners, ABindMayBecomeTheWildcardOfItsPort) {
  Stage stage;
  stage.listener.binds = {{"0.0.0.0", stage.port}, {"::", stage.port}};
  stage.must_push({make_resource(stage.listener)});
  EXPECT_EQ(stage.get("/").status, 200);
  EXPECT_EQ(get({.port = stage.port, .address = "::1"}, "/", "a.test").status, 200);
  stage.listener.binds = {{"127.0.0.1", stage.port}};
  stage.must_push({make_resource(stage.listener)});
  EXPECT_EQ(stage.get("/").status, 200);
}

TEST(PushListeners, ThePublicPortIsToldToTheBackend) {
  Stage stage;
  stage.get("/");
  EXPECT_EQ(field_of(stage.aa.last(), "X-Forwarded-Port"), std::to_string(stage.port));
  stage.listener.public_port = 80;
  stage.must_push({make_resource(stage.listener)});
  stage.get("/");
  EXPECT_EQ(field_of(stage.aa.last(), "X-Forwarded-Port"), "80");
}

TEST(PushListeners, TheProtocolSaysWhetherClientsSpeakTls) {
  Stage stage;
  const TestCertificate certificate("default", {"a.test"});
  model::Listener secure = make_listener("secure", free_port());
  secure.protocol = model::ListenerProtocol::kHttps;
  secure.default_certificates = {"default"};
  stage.must_push({certificate.resource, make_resource(secure)});
  const Door door{.port = secure.binds[0].port, .tls = true, .sni = "a.test"};
  EXPECT_EQ(get(door, "/", "a.test").status, 200);
  EXPECT_EQ(field_of(stage.aa.last(), "X-Forwarded-Proto"), "https");
  EXPECT_EQ(get({.port = door.port}, "/", "a.test").status, 400) << "plain HTTP on a TLS port";
  EXPECT_EQ(stage.get("/").status, 200);
  EXPECT_EQ(field_of(stage.aa.last(), "X-Forwarded-Proto"), "http");
}

TEST(PushListeners, AHostnameShutsOtherHostsOut) {
  Stage stage;
  stage.must_push({make_resource(make_host("b.test")), [] {
                     model::Route route = make_route("root", "/", "bb");
                     route.host = "b.test";
                     return make_resource(route);
                   }()});
  EXPECT_EQ(get(stage.door(), "/", "b.test").server(), "bb");
  stage.listener.hostname = "a.test";
  stage.must_push({make_resource(stage.listener)});
  EXPECT_EQ(get(stage.door(), "/", "b.test").status, 404);
  EXPECT_EQ(get(stage.door(), "/", "A.test:8080").server(), "aa");
  stage.listener.hostname = "*.test";
  stage.must_push({make_resource(stage.listener)});
  EXPECT_EQ(get(stage.door(), "/", "b.test").server(), "bb");
}

TEST(PushListeners, TwoListenersWithTwoTablesAnswerDifferently) {
  Stage stage;
  const std::uint16_t port = free_port();
  model::Route route = make_route("root", "/", "bb");
  route.table = "other";
  stage.must_push({make_resource(make_host("a.test", "other")), make_resource(route),
                   make_resource(make_listener("second", port, "other"))});
  EXPECT_EQ(stage.get("/").server(), "aa");
  EXPECT_EQ(get({.port = port}, "/", "a.test").server(), "bb");
  stage.must_push({make_resource(make_listener("second", port, "main"))});
  EXPECT_EQ(get({.port = port}, "/", "a.test").server(), "aa");
  stage.must_push({make_resource(make_listener("second", port, "none"))});
  EXPECT_EQ(get({.port = port}, "/", "a.test").status, 404);
}

TEST(PushListeners, AnOpenConnectionFollowsItsListenersTable) {
  Stage stage;
  model::Route route = make_route("root", "/", "bb");
  route.table = "other";
  stage.must_push({make_resource(make_host("a.test", "other")), make_resource(route)});
  Client client(stage.door());
  EXPECT_EQ(client.get("/", "a.test").server(), "aa");
  stage.listener.route_table = "other";
  stage.must_push({make_resource(stage.listener)});
  EXPECT_EQ(client.get("/", "a.test").server(), "bb");
}

TEST(PushListeners, ARemovedListenerDrainsItsBacklogAndItsConnections) {
  Stage stage({.workers = 2});
  Client open(stage.door());
  ASSERT_EQ(open.get("/", "a.test").status, 200);
  Client working(stage.door());
  working.send("GET /slow/300 HTTP/1.1\r\nHost: a.test\r\n\r\n");
  std::vector<Client> waiting;
  for (int i = 0; i < 40; ++i) {
    waiting.emplace_back(stage.door());
    waiting.back().send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
  }
  stage.must_push({}, {{ResourceType::kListener, "main"}});
  for (Client& client : waiting) EXPECT_EQ(client.read().status, 200);
  EXPECT_EQ(working.read().status, 200);
  EXPECT_FALSE(Client(stage.door()).is_open());
  const Answer last = open.get("/", "a.test");
  EXPECT_TRUE(last.status == 200 || last.status == 0);
  if (last.status == 200) {
    EXPECT_EQ(last.field("Connection"), "close");
  }
}

TEST(PushListeners, ABindInUseIsReportedAndOpenedOnceItIsFree) {
  Stage stage;
  Stage taken;
  model::Listener second = make_listener("second", taken.port);
  const Verdict verdict = stage.controller->push({make_resource(second)});
  ASSERT_TRUE(verdict.answered && verdict.applied) << verdict.to_string();
  const std::string why = verdict.why(ResourceType::kListener, "second");
  EXPECT_NE(why.find("127.0.0.1"), std::string::npos) << why;
  EXPECT_NE(why.find(std::to_string(taken.port)), std::string::npos) << why;
  EXPECT_EQ(stage.get("/").status, 200) << "the others are served";
  taken.must_push({}, {{ResourceType::kListener, "main"}});
  EXPECT_TRUE(eventually([&] { return get({.port = taken.port}, "/", "a.test").status == 200; }));
  EXPECT_EQ(get({.port = taken.port}, "/", "a.test").server(), "aa");
}

}  // namespace
}  // namespace weir::push
