// Row 15: 500 slow clients of each kind beside 50 requests a second of good traffic. Timeouts are
// shortened so that the test is short; what holds without any setting is asserted apart.

#include <gtest/gtest.h>

#include "tests/attack/crowd.h"
#include "tests/attack/figures.h"
#include "tests/attack/origin.h"
#include "tests/attack/polite.h"
#include "tests/attack/tls_probe.h"
#include "tests/push/stage.h"

namespace weir::attack {
namespace {

using model::make_resource;

constexpr std::size_t kClients = 500;
constexpr int kPoliteRate = 50;
constexpr Millis kBusyMachine{15'000};  // what a loaded machine may add to a deadline
constexpr std::int64_t kPlainKiB = 1;   // a connection may weigh
constexpr std::int64_t kTlsKiB = 24;

const std::string kHead = "GET /slow HTTP/1.1\r\nHost: a.test\r\n";

struct Attack {
  Habit habit = {};
  bool tls = false;
  bool reaches_origin = false;
  Millis deadline{0};
};

// What may stay behind a crowd.
constexpr std::int64_t kKept = 2 * kMiB;

class SlowClients : public testing::Test {
 protected:
  SlowClients() {
    settings_.tls_handshake_timeout = Millis(2'000);
    settings_.client_header_timeout = Millis(3'000);
    settings_.rate_window = Millis(2'000);
    model::Route route = push::make_route("root", "/", "aa");
    route.timeouts.send = Millis(2'000);
    model::Listener tls = push::make_listener("tls", tls_port_);
    tls.protocol = model::ListenerProtocol::kHttps;
    tls.default_certificates = {"own"};
    const push::TestCertificate own("own", {"a.test"});
    stage_.must_push({make_resource(push::make_endpoints("aa", {origin_.port()})),
                      make_resource(settings_), make_resource(route), own.resource,
                      make_resource(tls)});
    worker_ = stage_.dataplane.worker();
  }

  // Runs the attack; returns what the clients were answered.
  std::map<int, std::size_t> run(const Attack& attack) {
    Polite polite(stage_.door(), kPoliteRate);
    EXPECT_TRUE(push::eventually([&] { return polite.served() > 20; }));
    // What the first handshake of a process leaves behind is nobody's of the crowd.
    if (attack.tls) {
      EXPECT_TRUE(Probe({.port = tls_port_, .sni = "a.test"}).open());
    }
    const std::int64_t base = resident(worker_);
    const std::uint64_t origin_before = origin_.sent();
    std::int64_t peak = base;
    Crowd crowd(attack.tls ? tls_port_ : stage_.port, kClients, attack.habit);
    EXPECT_EQ(crowd.connected(), kClients);
    const auto all_ended = [&] {
      peak = std::max(peak, resident(worker_));
      return is_over(crowd);
    };
    EXPECT_TRUE(crowd.step_until(all_ended, attack.deadline + kBusyMachine)) << crowd.open();
    EXPECT_LT(crowd.longest(), attack.deadline + kBusyMachine);
    const auto sent = static_cast<std::int64_t>(crowd.sent() + origin_.sent() - origin_before);
    // A request that is under way holds a connection to the origin beside its client's.
    const std::int64_t plain = attack.reaches_origin ? 2 * kPlainKiB : kPlainKiB;
    const std::int64_t each = (attack.tls ? kTlsKiB : plain) * kKiB;
    crowd.leave();
    if (kResidentTells) {
      EXPECT_LE(peak - base, 2 * sent + 2 * kMiB + static_cast<std::int64_t>(kClients) * each);
      EXPECT_TRUE(
          push::eventually([&] { return resident(worker_) <= base + kKept; }, Millis(10'000)))
          << resident(worker_) - base;
    }
    polite.stop();
    EXPECT_EQ(polite.failed(), 0U) << polite.first_failure();
    EXPECT_GT(polite.served(), kResidentTells ? 50U : 20U) << "slower under a sanitizer";
    RecordProperty("peak_bytes", static_cast<int>(peak - base));
    RecordProperty("longest_ms", static_cast<int>(crowd.longest().count()));
    return crowd.statuses();
  }

  // A client that does not read cannot see its end: the proxy's own count tells.
  bool is_over(const Crowd& crowd) const {
    if (crowd.open() == 0) return true;
    return !watches_clients_ &&
           metric(stage_.dataplane, "nginx_ingress_controller_nginx_process_connections",
                  "state=\"active\"") <= 2;
  }

  push::Stage stage_;
  Origin origin_;
  model::Settings settings_;
  const std::uint16_t tls_port_ = push::free_port();
  pid_t worker_ = -1;
  bool watches_clients_ = true;
};

TEST(Row15Defaults, EndHeadsIn30SilentHandshakesIn15AndSlowBodiesIn60Seconds) {
  const model::Settings settings;
  EXPECT_LE(settings.client_header_timeout + Millis(2'000), Millis(30'000)) << "with the linger";
  EXPECT_LT(settings.tls_handshake_timeout, Millis(15'000));
  EXPECT_LE(2 * settings.rate_window, Millis(60'000)) << "a window may have begun well";
  EXPECT_GT(settings.min_body_rate, 0U);
  EXPECT_GT(settings.min_drain_rate, 0U);
}

TEST_F(SlowClients, Row15SlowHeads) {
  const auto statuses =
      run({.habit = {.opening = kHead, .drip = "X-A: b\r\n"}, .deadline = Millis(3'000)});
  EXPECT_EQ(statuses, (std::map<int, std::size_t>{{408, kClients}}));
}

TEST_F(SlowClients, Row15SilentConnections) {
  EXPECT_TRUE(run({.habit = {}, .deadline = Millis(3'000)}).empty());
}

TEST_F(SlowClients, Row15SlowBodies) {
  const std::string head = "POST /slow HTTP/1.1\r\nHost: a.test\r\nContent-Length: 100000\r\n\r\n";
  const auto statuses = run({.habit = {.opening = head, .drip = "12345678"},
                             .reaches_origin = true,
                             .deadline = Millis(4'000)});
  EXPECT_EQ(statuses, (std::map<int, std::size_t>{{408, kClients}}));
}

TEST_F(SlowClients, Row15SlowReaders) {
  watches_clients_ = false;
  run({.habit = {.opening = "GET /big/8000000 HTTP/1.1\r\nHost: a.test\r\n\r\n",
                 .drip = {},
                 .every = Millis(500),
                 .receive_buffer = 4'096,
                 .reads = false},
       .reaches_origin = true,
       .deadline = Millis(6'000)});
}

TEST_F(SlowClients, Row15SilentTlsHandshakes) {
  run({.habit = {}, .tls = true, .deadline = Millis(2'000)});
}

TEST_F(SlowClients, Row15HalfTlsHandshakes) {
  run({.habit = {.opening = std::string("\x16\x03\x01\x02\x00\x01\x00", 7)},
       .tls = true,
       .deadline = Millis(2'000)});
}

TEST_F(SlowClients, Row15WhoWaitsLongestMakesRoom) {
  settings_.max_connections = 100;
  settings_.client_header_timeout = Millis(60'000);
  stage_.must_push({make_resource(settings_)});
  Crowd crowd(stage_.port, 100, Habit());
  crowd.step_until([&] { return crowd.open() < 100; }, Millis(1'200));
  std::size_t served = 0;
  for (int i = 0; i < 30; ++i) served += stage_.get("/").status == 200 ? 1 : 0;
  EXPECT_EQ(served, 30U);
  EXPECT_TRUE(crowd.step_until([&] { return crowd.open() < 100; }, push::kPatience));
}

}  // namespace
}  // namespace weir::attack
