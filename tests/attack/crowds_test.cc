// Row 15: a crowd larger than the limit of connections that comes back whenever it is turned out,
// beside clients that ask.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <thread>
#include <utility>

#include "tests/attack/crowd.h"
#include "tests/attack/polite.h"
#include "tests/push/stage.h"

namespace weir::attack {
namespace {

using model::make_resource;

constexpr std::uint32_t kRoom = 100;     // connections that there may be
constexpr std::size_t kClients = 300;    // of the crowd
constexpr Millis kTime{4'000};           // of an attack
constexpr Millis kLongestAnswer{2'000};  // of a new client, on a machine that does other things

// Clients that ask once each on a connection of their own. A thread of its own.
class Newcomers {
 public:
  explicit Newcomers(push::Door door) : door_(std::move(door)), thread_([this] { run(); }) {}
  ~Newcomers() { stop(); }
  Newcomers(const Newcomers&) = delete;
  Newcomers& operator=(const Newcomers&) = delete;

  void stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  std::size_t served() const { return served_; }
  std::size_t failed() const { return failed_; }
  Millis longest() const { return longest_; }  // behind stop()

 private:
  void run() {
    while (!stop_) {
      const auto start = Clock::now();
      const bool good = push::get(door_, "/new", "a.test").status == 200;
      ++(good ? served_ : failed_);
      longest_ = std::max(longest_, std::chrono::duration_cast<Millis>(Clock::now() - start));
      push::nap(Millis(2));
    }
  }

  const push::Door door_;
  std::atomic<bool> stop_{false};
  std::atomic<std::size_t> served_{0}, failed_{0};
  Millis longest_{0};
  std::thread thread_;
};

class Crowds : public testing::Test {
 protected:
  explicit Crowds(std::uint32_t room = kRoom, push::DataplaneOptions options = {})
      : stage_(std::move(options)) {
    model::Settings settings;
    settings.max_connections = room;
    settings.client_header_timeout = Millis(60'000);
    settings.tls_handshake_timeout = Millis(60'000);
    model::Listener tls = push::make_listener("tls", tls_port_);
    tls.protocol = model::ListenerProtocol::kHttps;
    tls.default_certificates = {"own"};
    const push::TestCertificate own("own", {"a.test"});
    stage_.must_push({make_resource(settings), own.resource, make_resource(tls)});
  }
  push::Door tls_door() const { return {.port = tls_port_, .tls = true, .sni = "a.test"}; }

  // A crowd at this port, with people who ask at both.
  void expect_nobody_is_harmed(std::uint16_t port, Habit habit) {
    Polite kept(stage_.door(), 50), kept_tls(tls_door(), 50);
    ASSERT_TRUE(push::eventually([&] { return kept.served() > 5 && kept_tls.served() > 5; }));
    habit.returns = true;
    Crowd crowd(port, kClients, std::move(habit));
    Newcomers fresh(stage_.door()), fresh_tls(tls_door());
    crowd.step_until([] { return false; }, kTime);
    for (Newcomers* one : {&fresh, &fresh_tls}) {
      one->stop();
      EXPECT_EQ(one->failed(), 0U) << "of " << one->served();
      EXPECT_GT(one->served(), 20U);
      EXPECT_LT(one->longest(), kLongestAnswer);
    }
    for (Polite* one : {&kept, &kept_tls}) {
      one->stop();
      EXPECT_EQ(one->failed(), 0U) << one->first_failure();
      EXPECT_GT(one->served(), 50U);
    }
    EXPECT_GT(crowd.returned(), kClients) << "it was turned out and came back";
    std::printf(
        "[ crowd returned %lu times; new %zu and %zu over TLS, the slowest %ld and %ld ms ]\n",
        static_cast<unsigned long>(crowd.returned()), fresh.served(), fresh_tls.served(),
        static_cast<long>(fresh.longest().count()), static_cast<long>(fresh_tls.longest().count()));
  }

  push::Stage stage_;
  const std::uint16_t tls_port_ = push::free_port();
};

TEST_F(Crowds, Row15ASilentCrowdThatComesBackForEverCostsNobodyARequest) {
  expect_nobody_is_harmed(stage_.port, {});
}

// Without a limit of their own they are bounded by what the process may have open.
class FewDescriptors : public Crowds {
 protected:
  FewDescriptors() : Crowds(0, {.descriptors = 256}) {}
};

TEST_F(FewDescriptors, ASilentCrowdThatComesBackForEverCostsNobodyARequest) {
  expect_nobody_is_harmed(stage_.port, {});
  EXPECT_EQ(stage_.dataplane.log().find("cannot accept connections"), std::string::npos)
      << "each connection may come to need a second descriptor: they do not run out";
}

TEST_F(Crowds, Row15ASilentCrowdAtTlsThatComesBackForEverCostsNobodyARequest) {
  expect_nobody_is_harmed(tls_port_, {});
}

TEST_F(Crowds, Row15ACrowdOfOneAddressIsTurnedOutBeforeAnotherThatIsSlowToSpeak) {
  Crowd crowd(stage_.port, kClients, {.returns = true, .from = "127.0.0.2"});
  std::size_t served = 0;
  for (int i = 0; i < 5; ++i) {
    push::Client slow(stage_.door());
    const std::uint64_t before = crowd.returned();
    // Long enough that the crowd has taken every place several times.
    crowd.step_until([&] { return crowd.returned() > before + 3 * kRoom; }, push::kPatience);
    EXPECT_GT(crowd.returned(), before + 3 * kRoom);
    slow.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    served += slow.read().status == 200 ? 1 : 0;
  }
  EXPECT_EQ(served, 5U);
}

TEST_F(Crowds, Row15ACrowdThatBeginsRequestsCostsNobodyWhoIsServedAlready) {
  Polite kept(stage_.door(), 50);
  ASSERT_TRUE(push::eventually([&] { return kept.served() > 5; }));
  Crowd crowd(stage_.port, kClients, {.opening = "G", .returns = true});
  crowd.step_until([] { return false; }, kTime);
  kept.stop();
  EXPECT_EQ(kept.failed(), 0U) << kept.first_failure();
  EXPECT_GT(kept.served(), 50U);
  EXPECT_GT(crowd.returned(), 0U);
}

}  // namespace
}  // namespace weir::attack
