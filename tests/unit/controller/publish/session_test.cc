#include "controller/publish/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/controller/publish/world.h"

namespace weir::publish {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Told final : public SessionTarget {
 public:
  void on_applied(const std::vector<model::ResourceKey>& keys) override {
    applied.insert(applied.end(), keys.begin(), keys.end());
  }
  void on_refused(const std::vector<wire::Reason>& reasons) override {
    refused.insert(refused.end(), reasons.begin(), reasons.end());
  }
  std::vector<model::ResourceKey> applied;
  std::vector<wire::Reason> refused;
};

class SessionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    base::log_start("test", base::LogLevel::kError);
    world.put(store::Kind::kIngress, ingress_json("cart", "cart.test", "cart"));
    session.start();
  }
  template <typename Done>
  bool until(Done done) {
    for (int i = 0; i < 400; ++i) {
      loop.run_once(std::chrono::milliseconds(5));
      if (connected_) dataplane.receive();
      if (done()) return true;
    }
    return false;
  }
  bool accept() {
    connected_ = false;
    const bool ok = until([this] { return dataplane.accept(); });
    connected_ = ok;
    return ok;
  }
  bool transaction() {
    return until([this] { return dataplane.has(wire::FrameType::kCommit); });
  }
  // Everything desired is acknowledged.
  void bring_up() {
    ASSERT_TRUE(accept());
    dataplane.hello({});
    ASSERT_TRUE(transaction());
    dataplane.ack(dataplane.version());
    ASSERT_TRUE(until([this] { return session.idle(); }));
    dataplane.frames.clear();
  }
  wire::Hello hello_with_everything() const {
    wire::Hello hello;
    hello.applied = 7;
    for (std::size_t i = 0; i < model::kResourceTypes; ++i) {
      const auto type = static_cast<model::ResourceType>(i);
      wire::Digest digest;
      for (const auto& [key, resource] : world.engine().resources()) {
        if (key.type == type) digest.add(key.name, resource->hash);
      }
      hello.digests.push_back({type, digest.to_string()});
    }
    return hello;
  }
  model::ResourceKey route_of(const std::string& host) const {
    for (const auto& [key, resource] : world.engine().resources()) {
      if (key.type == model::ResourceType::kRoute &&
          key.name.find("/" + host + "/") != std::string::npos)
        return key;
    }
    return {};
  }

  loop::Loop loop;
  ScriptedDataplane dataplane;
  World world;
  Told told;
  Session session{loop, dataplane.path(), world.engine(), told};
  bool connected_ = false;
};

TEST_F(SessionTest, AnEmptyDataplaneGetsEverythingInMakeBeforeBreakOrder) {
  ASSERT_TRUE(accept());
  dataplane.hello({});
  ASSERT_TRUE(transaction());
  const std::string all = dataplane.summary();
  EXPECT_EQ(all.find("begin +settings"), 0U) << all;
  EXPECT_LT(all.find("+endpoints"), all.find("+cluster")) << all;
  EXPECT_LT(all.find("+cluster"), all.find("+host")) << all;
  EXPECT_LT(all.find("+host"), all.find("+route")) << all;
  EXPECT_LT(all.find("+route"), all.find("+listener")) << all;
  EXPECT_FALSE(session.is_live(route_of("cart.test")));
  dataplane.ack(dataplane.version());
  ASSERT_TRUE(until([this] { return session.idle(); }));
  EXPECT_TRUE(session.is_live(route_of("cart.test")));
  EXPECT_EQ(told.applied.size(), world.engine().resources().size());
}

TEST_F(SessionTest, AChangeSendsOnlyWhatItTouches) {
  bring_up();
  session.mark(world.put(store::Kind::kIngress, ingress_json("pay", "pay.test", "cart")));
  ASSERT_TRUE(transaction());
  EXPECT_THAT(dataplane.summary(), HasSubstr("+route main/pay.test/"));
  EXPECT_THAT(dataplane.summary(), Not(HasSubstr("cart.test")));
  EXPECT_THAT(dataplane.summary(), Not(HasSubstr("+cluster")));
}

TEST_F(SessionTest, RemovalsComeLastAndInTheOppositeOrder) {
  bring_up();
  session.mark(world.remove(store::Kind::kIngress, "cart"));
  ASSERT_TRUE(transaction());
  const std::string all = dataplane.summary();
  EXPECT_LT(all.find("-route"), all.find("-host")) << all;
  EXPECT_LT(all.find("-host"), all.find("-cluster")) << all;
  EXPECT_LT(all.find("-cluster"), all.find("-endpoints")) << all;
}

TEST_F(SessionTest, AReconnectedDataplaneThatHasEverythingGetsNothing) {
  ASSERT_TRUE(accept());
  dataplane.hello(hello_with_everything());
  ASSERT_TRUE(until([this] { return session.idle(); }));
  EXPECT_EQ(dataplane.summary(), "");
  EXPECT_TRUE(session.is_live(route_of("cart.test")));
}

TEST_F(SessionTest, TypesOfAnotherVersionAreNeitherAskedForNorSentNorAnError) {
  ASSERT_TRUE(accept());
  wire::Hello hello = hello_with_everything();
  std::erase_if(hello.digests, [](const wire::TypeDigest& one) {
    return one.type == model::ResourceType::kCluster;  // an older one, without clusters
  });
  hello.digests.front().digest = std::string(32, '0');
  wire::Frame frame = wire::to_frame(wire::FrameType::kHello, hello);
  const std::string list = R"("digests":[)";  // a newer one, with a further type
  const std::size_t at = frame.json.find(list);
  ASSERT_NE(at, std::string::npos) << frame.json;
  frame.json.insert(at + list.size(), R"({"type":"mirror","digest":"00"},)");
  dataplane.send(frame);
  ASSERT_TRUE(until([this] { return dataplane.has(wire::FrameType::kKeysWanted); }));
  wire::Keys keys;
  keys.type = hello.digests.front().type;
  keys.last = true;
  dataplane.send(wire::to_frame(wire::FrameType::kKeys, keys));
  ASSERT_TRUE(transaction());
  EXPECT_THAT(dataplane.summary(), Not(HasSubstr("cluster")));
  dataplane.ack(dataplane.version());
  ASSERT_TRUE(until([this] { return session.idle(); }));
  EXPECT_TRUE(session.is_live(route_of("cart.test")));
}

TEST_F(SessionTest, ADigestThatDiffersAsksForKeysAndSendsTheDifference) {
  ASSERT_TRUE(accept());
  wire::Hello hello = hello_with_everything();
  const auto route = static_cast<std::size_t>(model::ResourceType::kRoute);
  hello.digests[route].digest = std::string(32, '0');
  dataplane.hello(hello);
  ASSERT_TRUE(until([this] { return dataplane.has(wire::FrameType::kKeysWanted); }));
  wire::Keys keys;
  keys.type = model::ResourceType::kRoute;
  keys.keys = {{"main/gone.test/x", "hash-of-something-old"}};
  keys.last = true;
  dataplane.send(wire::to_frame(wire::FrameType::kKeys, keys));
  ASSERT_TRUE(transaction());
  EXPECT_THAT(dataplane.summary(), HasSubstr("+route main/cart.test/"));
  EXPECT_THAT(dataplane.summary(), HasSubstr("-route main/gone.test/x"));
  EXPECT_THAT(dataplane.summary(), Not(HasSubstr("cluster")));
  EXPECT_GT(dataplane.version(), hello.applied);
}

TEST_F(SessionTest, ANackDropsTheNamedResourceAndSendsTheRestAtOnce) {
  ASSERT_TRUE(accept());
  dataplane.hello({});
  ASSERT_TRUE(transaction());
  const model::ResourceKey bad = route_of("cart.test");
  wire::Nack nack;
  nack.version = dataplane.version();
  nack.reasons = {{bad.type, bad.name, "no"}};
  dataplane.frames.clear();
  dataplane.send(wire::to_frame(wire::FrameType::kNack, nack));
  ASSERT_TRUE(transaction());
  EXPECT_THAT(dataplane.summary(), Not(HasSubstr("+route main/cart.test/")));
  EXPECT_THAT(dataplane.summary(), HasSubstr("+listener http"));
  EXPECT_GT(dataplane.version(), nack.version);
  ASSERT_EQ(told.refused.size(), 1U);
  EXPECT_EQ(told.refused[0].name, bad.name);
  dataplane.ack(dataplane.version());
  ASSERT_TRUE(until([this] { return session.idle(); }));
  EXPECT_FALSE(session.is_live(bad));
  EXPECT_EQ(session.refused_reasons().count(bad), 1U);
  // A new version of it is tried again.
  dataplane.frames.clear();
  session.mark(world.put(store::Kind::kIngress, ingress_json("cart", "cart.test", "other")));
  ASSERT_TRUE(transaction());
  EXPECT_THAT(dataplane.summary(), HasSubstr("+route main/cart.test/"));
}

TEST_F(SessionTest, ChangesWhileATransactionIsOutAreOneFurtherTransactionWithTheNewestState) {
  ASSERT_TRUE(accept());
  dataplane.hello({});
  ASSERT_TRUE(transaction());
  const std::uint64_t first = dataplane.version();
  for (int i = 0; i < 50; ++i)
    session.mark(
        world.put(store::Kind::kIngress, ingress_json("pay", "pay.test", "s" + std::to_string(i))));
  EXPECT_LE(session.waiting(), 200U);
  dataplane.frames.clear();
  dataplane.ack(first);
  ASSERT_TRUE(transaction());
  EXPECT_THAT(dataplane.summary(), HasSubstr("+cluster shop/s49/80"));
  EXPECT_THAT(dataplane.summary(), Not(HasSubstr("shop/s48/80")));
}

TEST_F(SessionTest, ABrokenFrameEndsTheSessionAndItDialsAgain) {
  bring_up();
  dataplane.send_bytes(std::string(64, '\xff'));
  ASSERT_TRUE(until([this] { return !session.connected(); }));
  EXPECT_TRUE(accept());
}

TEST_F(SessionTest, ASupersededSessionWaitsBeforeItDialsAgain) {
  bring_up();
  dataplane.send(wire::Frame{wire::FrameType::kSuperseded, "{}", {}});
  ASSERT_TRUE(until([this] { return !session.connected(); }));
  connected_ = false;
  bool dialled = false;
  for (int i = 0; i < 60; ++i) {
    loop.run_once(std::chrono::milliseconds(10));
    dialled = dialled || dataplane.accept();
  }
  EXPECT_FALSE(dialled) << "dialled again within 0.6 s";
}

TEST_F(SessionTest, MarksAreReachedWithTheTransactionThatTookThem) {
  bring_up();
  EXPECT_EQ(session.reached(), session.marks());
  session.mark(world.put(store::Kind::kIngress, ingress_json("pay", "pay.test", "cart")));
  const std::uint64_t first = session.marks();
  EXPECT_EQ(session.begun(), first);
  EXPECT_LT(session.reached(), first);
  session.mark(world.put(store::Kind::kIngress, ingress_json("fee", "fee.test", "cart")));
  const std::uint64_t second = session.marks();
  EXPECT_EQ(session.begun(), first) << "the one that runs does not take it";
  ASSERT_TRUE(transaction());
  const std::uint64_t version = dataplane.version();
  dataplane.frames.clear();
  dataplane.ack(version);
  ASSERT_TRUE(until([&] { return session.reached() == first; }));
  EXPECT_EQ(session.begun(), second);
  ASSERT_TRUE(transaction());
  dataplane.ack(dataplane.version());
  EXPECT_TRUE(until([&] { return session.reached() == second; }));
}

TEST_F(SessionTest, AMarkThatChangesNothingIsReachedAtOnceAndALostSessionReachesNothing) {
  bring_up();
  session.mark({});
  EXPECT_EQ(session.reached(), session.marks());
  dataplane.hang_up();
  connected_ = false;
  ASSERT_TRUE(until([this] { return !session.connected(); }));
  EXPECT_EQ(session.reached(), 0U);
  session.mark({});
  ASSERT_TRUE(accept());
  dataplane.hello(hello_with_everything());
  EXPECT_TRUE(until([this] { return session.reached() == session.marks(); }));
}

TEST_F(SessionTest, AStoppedDataplaneCostsTheKeysAndNothingElse) {
  bring_up();
  // Nobody reads: the socket's buffers fill, then only keys are kept.
  connected_ = false;
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 200; ++i) {
      const std::string n = std::to_string(i);
      session.mark(world.put(store::Kind::kIngress, ingress_json("n" + n, "n" + n + ".test",
                                                                 "r" + std::to_string(round))));
    }
    loop.run_once(std::chrono::milliseconds(1));
  }
  EXPECT_LE(session.waiting(), 2000U);
  connected_ = true;
  std::uint64_t last = 0;
  ASSERT_TRUE(until([&] {
    if (!dataplane.has(wire::FrameType::kCommit)) return session.idle();
    last = dataplane.version();
    dataplane.frames.clear();
    dataplane.ack(last);
    return false;
  }));
  EXPECT_TRUE(session.is_live(route_of("n199.test")));
}

}  // namespace
}  // namespace weir::publish
