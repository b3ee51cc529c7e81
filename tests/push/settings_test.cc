// The fields of the settings: each changes an answer.

#include <gtest/gtest.h>

#include <vector>

#include "tests/push/stage.h"

namespace weir::push {
namespace {

using model::make_resource;
using model::Settings;

class PushSettings : public testing::Test {
 protected:
  void set(const Settings& settings) { stage.must_push({make_resource(settings)}); }
  // How long the peer lets this connection live.
  static Millis life(Client& client) {
    const Clock::time_point start = Clock::now();
    EXPECT_TRUE(client.ends());
    return std::chrono::duration_cast<Millis>(Clock::now() - start);
  }
  int open_now(int most) {
    clients.clear();
    for (int i = 0; i < most; ++i) clients.emplace_back(stage.door());
    int out = 0;
    for (Client& client : clients) out += client.get("/", "a.test").status == 200 ? 1 : 0;
    return out;
  }

  Stage stage;
  std::vector<Client> clients;
};

TEST_F(PushSettings, TheHeaderTimeoutEndsAHalfSentHead) {
  Settings settings;
  settings.client_header_timeout = Millis(800);
  set(settings);
  Client silent(stage.door());
  EXPECT_LT(life(silent), Millis(8'000)) << "never a byte";
  Client half(stage.door());
  half.send("GET / HTTP/1.1\r\nHost: a.test\r\nX-A");
  EXPECT_LT(life(half), Millis(8'000));
  Client second(stage.door());
  ASSERT_EQ(second.get("/", "a.test").status, 200);
  nap(Millis(1'200));
  EXPECT_EQ(second.get("/", "a.test").status, 200) << "waiting for a request is no half-sent head";
}

TEST_F(PushSettings, TheBodyTimeoutAnswers408) {
  Settings settings;
  settings.client_body_timeout = Millis(200);
  set(settings);
  Client client(stage.door());
  client.send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\n12345");
  EXPECT_EQ(client.read(false, Millis(8'000)).status, 408);
  EXPECT_TRUE(client.ends());
}

TEST_F(PushSettings, TheKeepAliveTimeoutEndsAnIdleConnection) {
  Settings settings;
  settings.keep_alive_timeout = Millis(200);
  set(settings);
  Client client(stage.door());
  const Clock::time_point start = Clock::now();
  ASSERT_EQ(client.get("/", "a.test").status, 200);
  EXPECT_LT(life(client), Millis(8'000));
  EXPECT_GE(Clock::now() - start, Millis(200));
}

TEST_F(PushSettings, KeepAliveRequestsAreCounted) {
  Settings settings;
  settings.keep_alive_requests = 3;
  set(settings);
  Client client(stage.door());
  for (int i = 1; i <= 3; ++i) {
    const Answer answer = client.get("/", "a.test");
    EXPECT_EQ(answer.status, 200) << i;
    EXPECT_EQ(answer.field("Connection"), i == 3 ? "close" : "") << i;
  }
  EXPECT_TRUE(client.ends());
}

TEST_F(PushSettings, LimitsOfTheHeadAnswer431And414) {
  const std::string long_field = "X-Long: " + std::string(2'000, 'x') + "\r\n";
  std::string many;
  for (int i = 0; i < 20; ++i) many += "X-" + std::to_string(i) + ": 1\r\n";
  const std::string long_target = "/" + std::string(500, 'p');
  EXPECT_EQ(stage.get("/", long_field).status, 200);
  EXPECT_EQ(stage.get("/", many).status, 200);
  EXPECT_EQ(stage.get(long_target).status, 200);
  Settings settings;
  settings.max_head_bytes = 1'500;
  set(settings);
  EXPECT_EQ(stage.get("/", long_field).status, 431);
  EXPECT_EQ(stage.get("/", many).status, 200);
  settings = {};
  settings.max_fields = 15;
  set(settings);
  EXPECT_EQ(stage.get("/", many).status, 431);
  EXPECT_EQ(stage.get("/", long_field).status, 200);
  settings = {};
  settings.max_target_bytes = 300;
  set(settings);
  EXPECT_EQ(stage.get(long_target).status, 414);
  EXPECT_EQ(stage.get("/").status, 200);
}

TEST_F(PushSettings, MaxConnectionsRefusesTheRestAtAcceptWhileAllAreServed) {
  EXPECT_EQ(open_now(12), 12);
  clients.clear();
  Settings settings;
  settings.max_connections = 5;
  set(settings);
  ASSERT_TRUE(eventually([&] { return open_now(1) == 1; }));
  clients.clear();
  const auto served_at_once = [&] {
    clients.clear();
    for (int i = 0; i < 12; ++i) clients.emplace_back(stage.door());
    const std::string request = "GET /slow/300 HTTP/1.1\r\nHost: a.test\r\n\r\n";
    for (Client& client : clients) client.send(request);
    int out = 0;
    for (Client& client : clients) out += client.read().status == 200 ? 1 : 0;
    return out;
  };
  EXPECT_TRUE(eventually([&] { return served_at_once() == 5; }));
}

TEST_F(PushSettings, ConnectionsPerAddressAreLimited) {
  stage.listener.binds = {{"127.0.0.1", free_port()}, {"::1", free_port()}};
  Settings settings;
  settings.connections_per_address = 4;
  stage.must_push({make_resource(settings), make_resource(stage.listener)});
  stage.port = stage.listener.binds[0].port;
  EXPECT_TRUE(eventually([&] { return open_now(12) == 4; }));
  const Door other{.port = stage.listener.binds[1].port, .address = "::1"};
  EXPECT_EQ(get(other, "/", "a.test").status, 200) << "another address has its own count";
}

TEST_F(PushSettings, TheAccessLogCanBeSwitchedOff) {
  const auto logged = [&](const std::string& target) {
    return stage.dataplane.access_log().find("\"" + target + "\"") != std::string::npos;
  };
  Settings settings;
  settings.access_log = false;
  set(settings);
  ASSERT_EQ(stage.get("/unlogged").status, 200);
  set(Settings());
  ASSERT_EQ(stage.get("/logged").status, 200);
  EXPECT_TRUE(eventually([&] { return logged("/logged"); }));
  EXPECT_FALSE(logged("/unlogged"));
}

TEST_F(PushSettings, TheServerFieldCanBeSwitchedOff) {
  EXPECT_EQ(stage.get("/").field("Server"), "weir");
  Settings settings;
  settings.server_header = false;
  set(settings);
  EXPECT_EQ(stage.get("/").field("Server"), "");
  EXPECT_EQ(get(stage.door(), "/", "unknown.test").field("Server"), "");
  Client broken(stage.door());
  broken.send("GET / HTTP/1.1\r\nHost : a.test\r\n\r\n");
  const Answer refusal = broken.read();
  EXPECT_EQ(refusal.status, 400);
  EXPECT_EQ(refusal.field("Server"), "");
}

TEST_F(PushSettings, WithoutTheResourceTheDefaultsHold) {
  Settings settings;
  settings.max_target_bytes = 100;
  set(settings);
  const std::string target = "/" + std::string(200, 'p');
  EXPECT_EQ(stage.get(target).status, 414);
  stage.must_push({}, {{ResourceType::kSettings, "default"}});
  EXPECT_EQ(stage.get(target).status, 200);
}

}  // namespace
}  // namespace weir::push
