#include "dataplane/snapshot/configuration.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <set>
#include <thread>

#include "tests/unit/dataplane/snapshot/fixture.h"

namespace weir::snapshot {
namespace {

using std::chrono::milliseconds;

// A worker thread with a live snapshot, without sockets to serve.
class TestSeat final : public WorkerSeat {
 public:
  TestSeat() : thread_([this] { loop_.run(); }) {}
  ~TestSeat() override {
    loop_.stop();
    thread_.join();
  }
  loop::Loop& loop() override { return loop_; }
  void swap(const Swap& swap) override {
    live_.replace(swap.snapshot);
    version = swap.snapshot->version;
  }
  void add_socket(const std::string& listener, const std::string& bind, base::UniqueFd) override {
    const std::lock_guard lock(mutex_);
    open_.insert(listener + " " + bind);
  }
  void remove_socket(const std::string& listener, const std::string& bind) override {
    const std::lock_guard lock(mutex_);
    open_.erase(listener + " " + bind);
  }
  std::set<std::string> open() const {
    const std::lock_guard lock(mutex_);
    return open_;
  }
  std::atomic<std::uint64_t> version{0};

 private:
  loop::Loop loop_;
  exchange::LiveSnapshot live_;
  mutable std::mutex mutex_;
  std::set<std::string> open_;
  std::thread thread_;
};

class TestSockets final : public SocketSource {
 public:
  base::Result<std::vector<base::UniqueFd>> listen(const model::Bind& bind,
                                                   std::uint32_t sockets) override {
    if (refuse) return base::system_error("listen port " + std::to_string(bind.port), EADDRINUSE);
    std::vector<base::UniqueFd> out;
    for (std::uint32_t i = 0; i < sockets; ++i) {
      out.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    }
    return out;
  }
  base::Result<void> unlisten(const model::Bind& bind) override {
    released.push_back(bind.port);
    return {};
  }
  bool refuse = false;
  std::vector<int> released;
};

// A controller that speaks the wire by hand on one end of a socket pair.
class Controller {
 public:
  Controller(loop::Loop& loop, Receiver& receiver) : loop_(loop) {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    fd_ = base::UniqueFd(ends[0]);
    receiver.take(base::UniqueFd(ends[1]));
  }
  void send_bytes(std::string_view bytes) {
    EXPECT_EQ(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  // The next frame, or none when the other side closed or 5 s went by.
  std::optional<wire::Frame> next() {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (std::chrono::steady_clock::now() < until) {
      auto frame = reader_.next();
      EXPECT_TRUE(frame.ok());
      if (frame.value()) return std::move(frame).value();
      char buffer[4096];
      const ssize_t got = ::recv(fd_.get(), buffer, sizeof buffer, 0);
      if (got == 0) return std::nullopt;
      if (got > 0) {
        reader_.add({buffer, static_cast<std::size_t>(got)});
      } else {
        loop_.run_once(milliseconds(5));
      }
    }
    ADD_FAILURE() << "no frame and no close within 5 s";
    return std::nullopt;
  }
  template <typename Message>
  Message expect(wire::FrameType type) {
    const auto frame = next();
    EXPECT_TRUE(frame.has_value());
    if (!frame || frame->type != type) {
      ADD_FAILURE() << "another frame than expected";
      return {};
    }
    auto message = wire::from_frame<Message>(*frame);
    EXPECT_TRUE(message.ok());
    return std::move(message).value();
  }

 private:
  loop::Loop& loop_;
  base::UniqueFd fd_;
  wire::FrameReader reader_;
};

void append(const wire::Frame& frame, std::string& out) {
  ASSERT_TRUE(wire::append_frame(frame, out).ok());
}

std::string encode(const Transaction& transaction) {
  std::string out;
  append(
      wire::to_frame(wire::FrameType::kBegin, wire::Begin{transaction.version, transaction.full}),
      out);
  for (const auto& resource : transaction.upserts) append(wire::upsert_frame(*resource), out);
  for (const auto& key : transaction.removals) {
    append(wire::to_frame(wire::FrameType::kRemove, wire::Remove{key.type, key.name}), out);
  }
  append(wire::to_frame(wire::FrameType::kCommit,
                        wire::Commit{transaction.version,
                                     static_cast<std::uint32_t>(transaction.upserts.size()),
                                     static_cast<std::uint32_t>(transaction.removals.size())}),
         out);
  return out;
}

struct Rig {
  loop::Loop loop;
  observe::Labels labels;
  TestSockets sockets;
  TestSeat seats[2];
  Configuration configuration{{loop, test_kinds(), labels, {&seats[0], &seats[1]}, sockets, {}}};
  Receiver receiver{loop, base::UniqueFd(), configuration};
};

TEST(Receiver, SaysHelloAndGivesKeysOnDemand) {
  Rig rig;
  Controller controller(rig.loop, rig.receiver);
  auto hello = controller.expect<wire::Hello>(wire::FrameType::kHello);
  EXPECT_EQ(hello.protocol, wire::kProtocolVersion);
  EXPECT_EQ(hello.applied, 0U);
  EXPECT_EQ(hello.instance.size(), 32U);
  ASSERT_EQ(hello.features.size(), 2U);
  EXPECT_EQ(hello.features[1], (wire::FeatureRevision{"b", 3}));
  EXPECT_EQ(hello.digests.size(), model::kResourceTypes);

  std::vector<model::ResourcePtr> all;
  for (int i = 0; i < 2'500; ++i) all.push_back(cluster("c" + std::to_string(i)));
  // In pieces, so that the socket's buffer suffices without a second thread.
  for (std::uint64_t v = 0; v < 25; ++v) {
    const auto from = all.begin() + static_cast<std::ptrdiff_t>(v * 100);
    controller.send_bytes(encode(upserts(v + 1, {from, from + 100})));
    EXPECT_EQ(controller.expect<wire::Ack>(wire::FrameType::kAck).version, v + 1);
  }
  std::string wanted;
  append(wire::to_frame(wire::FrameType::kKeysWanted,
                        wire::KeysWanted{{model::ResourceType::kCluster}}),
         wanted);
  controller.send_bytes(wanted);
  wire::Digest digest;
  std::size_t count = 0;
  for (bool last = false; !last;) {
    const auto keys = controller.expect<wire::Keys>(wire::FrameType::kKeys);
    ASSERT_EQ(keys.type, model::ResourceType::kCluster);
    for (const auto& one : keys.keys) digest.add(one.name, one.hash);
    count += keys.keys.size();
    last = keys.last || keys.keys.empty();
  }
  EXPECT_EQ(count, all.size());
  Controller second(rig.loop, rig.receiver);
  hello = second.expect<wire::Hello>(wire::FrameType::kHello);
  EXPECT_EQ(hello.applied, 25U);
  EXPECT_EQ(hello.digests[static_cast<std::size_t>(model::ResourceType::kCluster)].digest,
            digest.to_string());
}

TEST(Receiver, AcksWhenEveryWorkerHasSwapped) {
  Rig rig;
  EXPECT_FALSE(rig.configuration.ready());
  Controller controller(rig.loop, rig.receiver);
  controller.expect<wire::Hello>(wire::FrameType::kHello);
  controller.send_bytes(
      encode(upserts(3, {cluster("c1"), route("a.test", "x"), listener("http", 80)})));
  const auto ack = controller.expect<wire::Ack>(wire::FrameType::kAck);
  EXPECT_EQ(ack.version, 3U);
  EXPECT_TRUE(ack.degraded.empty());
  for (const TestSeat& seat : rig.seats) {
    EXPECT_EQ(seat.version, 3U);
    EXPECT_EQ(seat.open(), std::set<std::string>{"http 127.0.0.1:80"});
  }
  EXPECT_TRUE(rig.configuration.ready());
  Transaction full = upserts(4, {cluster("c1")});
  full.full = true;
  controller.send_bytes(encode(full));
  controller.expect<wire::Ack>(wire::FrameType::kAck);
  EXPECT_TRUE(rig.seats[0].open().empty());
  EXPECT_EQ(rig.sockets.released, std::vector<int>{80});
}

TEST(Receiver, NacksByNameAndAppliesNothing) {
  Rig rig;
  Controller controller(rig.loop, rig.receiver);
  controller.expect<wire::Hello>(wire::FrameType::kHello);
  auto damaged = std::make_shared<model::Resource>(*cluster("c2"));
  damaged->hash = std::string(32, '0');
  controller.send_bytes(encode(upserts(1, {cluster("c1"), damaged, listener("bad", 0)})));
  auto nack = controller.expect<wire::Nack>(wire::FrameType::kNack);
  ASSERT_EQ(nack.reasons.size(), 1U);
  EXPECT_EQ(nack.reasons[0].name, "c2");
  controller.send_bytes(encode(upserts(2, {cluster("c1"), listener("bad", 0)})));
  nack = controller.expect<wire::Nack>(wire::FrameType::kNack);
  ASSERT_EQ(nack.reasons.size(), 1U);
  EXPECT_EQ(nack.reasons[0].name, "bad");
  EXPECT_EQ(rig.seats[0].version, 0U);
  EXPECT_FALSE(rig.configuration.ready());
  controller.send_bytes(encode(upserts(3, {cluster("c1")})));
  EXPECT_EQ(controller.expect<wire::Ack>(wire::FrameType::kAck).version, 3U);
}

TEST(Receiver, TheNewestControllerWins) {
  Rig rig;
  Controller first(rig.loop, rig.receiver);
  first.expect<wire::Hello>(wire::FrameType::kHello);
  Controller second(rig.loop, rig.receiver);
  second.expect<wire::Hello>(wire::FrameType::kHello);
  const auto frame = first.next();
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->type, wire::FrameType::kSuperseded);
  EXPECT_FALSE(first.next().has_value());
  second.send_bytes(encode(upserts(1, {cluster("c1")})));
  EXPECT_EQ(second.expect<wire::Ack>(wire::FrameType::kAck).version, 1U);
}

TEST(Receiver, ATransactionCutAtAnyByteAppliesNothing) {
  Rig rig;
  const std::string bytes =
      encode(upserts(9, {cluster("c1"), route("a.test", "x")}, {cluster("c7")->key}));
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    {
      Controller controller(rig.loop, rig.receiver);
      controller.send_bytes(std::string_view(bytes).substr(0, cut));
      rig.loop.run_once(milliseconds(0));
    }
    rig.loop.run_once(milliseconds(0));
    ASSERT_FALSE(rig.receiver.connected()) << cut;
  }
  EXPECT_EQ(rig.seats[0].version, 0U);
  EXPECT_TRUE(rig.configuration.keys(model::ResourceType::kCluster).empty());
}

TEST(Receiver, ADamagedFrameEndsItsSessionAndNothingElse) {
  Rig rig;
  const std::string bytes = encode(upserts(9, {cluster("c1")}));
  std::vector<std::string> broken;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    broken.push_back(bytes);
    broken.back()[at] = static_cast<char>(broken.back()[at] ^ 0x10);
  }
  broken.emplace_back("\xff\xff\xff\x7f\x03\x00\x00\x00\x00\x00\x00\x00", 12);  // 2 GiB
  broken.push_back(encode(upserts(5, {})) + encode(upserts(5, {})));            // replayed
  std::string in_place;
  append(wire::to_frame(wire::FrameType::kRemove, wire::Remove{}), in_place);
  broken.push_back(in_place);
  for (const std::string& one : broken) {
    Controller controller(rig.loop, rig.receiver);
    controller.expect<wire::Hello>(wire::FrameType::kHello);
    controller.send_bytes(one);
    // A flipped length may ask for more than came: the end of the stream is the end, too.
    for (int i = 0; i < 3; ++i) rig.loop.run_once(milliseconds(0));
  }
  EXPECT_TRUE(rig.configuration.keys(model::ResourceType::kCluster).empty());
  Controller good(rig.loop, rig.receiver);
  good.expect<wire::Hello>(wire::FrameType::kHello);
  good.send_bytes(encode(upserts(1, {cluster("c1")})));
  EXPECT_EQ(good.expect<wire::Ack>(wire::FrameType::kAck).version, 1U);
}

TEST(Configuration, ABindThatFailsIsDegradedAndOpensLater) {
  Rig rig;
  rig.sockets.refuse = true;
  Controller controller(rig.loop, rig.receiver);
  controller.expect<wire::Hello>(wire::FrameType::kHello);
  controller.send_bytes(encode(upserts(1, {listener("http", 80)})));
  const auto ack = controller.expect<wire::Ack>(wire::FrameType::kAck);
  ASSERT_EQ(ack.degraded.size(), 1U);
  EXPECT_EQ(ack.degraded[0].name, "http");
  EXPECT_NE(ack.degraded[0].text.find("in use"), std::string::npos);
  rig.sockets.refuse = false;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (rig.seats[1].open().empty() && std::chrono::steady_clock::now() < until) {
    rig.loop.run_once(milliseconds(20));
  }
  EXPECT_EQ(rig.seats[1].open().size(), 1U);
}

TEST(Configuration, OldSnapshotsDieWithTheirLastWorker) {
  Rig rig;
  Controller controller(rig.loop, rig.receiver);
  controller.expect<wire::Hello>(wire::FrameType::kHello);
  std::size_t most = 0;
  for (std::uint64_t version = 1; version <= 300; ++version) {
    controller.send_bytes(
        encode(upserts(version, {endpoints("c1", {static_cast<int>(version % 200)})})));
    controller.expect<wire::Ack>(wire::FrameType::kAck);
    most = std::max(most, rig.configuration.live_snapshots());
  }
  EXPECT_LE(most, 3U);
}

TEST(Configuration, MetricsTellVersionAndOutcome) {
  Rig rig;
  Controller controller(rig.loop, rig.receiver);
  controller.expect<wire::Hello>(wire::FrameType::kHello);
  controller.send_bytes(encode(upserts(6, {cluster("c1")})));
  controller.expect<wire::Ack>(wire::FrameType::kAck);
  std::string text = base::render({&rig.configuration});
  EXPECT_NE(text.find("\nweir_config_applied_version 6\n"), std::string::npos) << text;
  EXPECT_NE(text.find("config_last_reload_successful 1\n"), std::string::npos) << text;
  controller.send_bytes(encode(upserts(7, {listener("bad", 0)})));
  controller.expect<wire::Nack>(wire::FrameType::kNack);
  text = base::render({&rig.configuration});
  EXPECT_NE(text.find("\nweir_config_applied_version 6\n"), std::string::npos);
  EXPECT_NE(text.find("config_last_reload_successful 0\n"), std::string::npos);
  EXPECT_NE(text.find("nginx_ingress_controller_errors 1\n"), std::string::npos);
}

}  // namespace
}  // namespace weir::snapshot
