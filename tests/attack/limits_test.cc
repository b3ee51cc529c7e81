// Limits by client address, of heads, and of patterns; descriptors that run out.

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <map>

#include "common/features/ip_access.h"
#include "common/features/rate_limit.h"
#include "tests/attack/crowd.h"
#include "tests/attack/figures.h"
#include "tests/push/stage.h"

namespace weir::attack {
namespace {

using model::make_resource;

template <typename Feature>
model::ResourcePtr policy_of(const Feature& settings) {
  return model::make_policy(Feature::kStem, Feature::kRevision, base::encode(settings).to_string());
}

class Limits : public testing::Test {
 protected:
  void set(const model::Settings& settings) { stage_.must_push({make_resource(settings)}); }
  void install(const model::ResourcePtr& policy) {
    model::Route route = push::make_route("root", "/", "aa");
    route.policies = {policy->key.name};
    stage_.must_push({policy, make_resource(route)});
  }
  std::map<int, int> statuses(int times) {
    std::map<int, int> out;
    for (int i = 0; i < times; ++i) ++out[stage_.get("/").status];
    return out;
  }
  push::Stage stage_{{.workers = 2, .args = {}}};
};

TEST_F(Limits, Row16HeadsAreRefusedBeforeTheyAreKept) {
  const pid_t worker = stage_.dataplane.worker();
  ASSERT_EQ(stage_.get("/").status, 200);
  const std::int64_t base = resident(worker);
  push::Client target(stage_.door());
  target.send("GET /" + std::string(40'000, 't'));
  EXPECT_EQ(target.read().status, 414) << "at the byte that is too much, without an end of line";
  push::Client field(stage_.door());
  field.send("GET / HTTP/1.1\r\nHost: a.test\r\nX-A: " + std::string(70'000, 'f'));
  EXPECT_EQ(field.read().status, 431);
  std::string many;
  for (int i = 0; i < 99; ++i) many += "X-" + std::to_string(i) + ": 1\r\n";
  EXPECT_EQ(stage_.get("/", many).status, 200) << "a hundred with Host";
  EXPECT_EQ(stage_.get("/", many + "X-Over: 1\r\n").status, 431);
  Crowd crowd(stage_.port, 200, {.opening = "GET / HTTP/1.1\r\nX-A: " + std::string(50'000, 'f')});
  crowd.step(Millis(200));
  const auto sent = static_cast<std::int64_t>(crowd.sent());
  if (kResidentTells) {
    EXPECT_LE(resident(worker) - base, 2 * sent + 2 * kMiB + 200 * kKiB);
  }
}

TEST_F(Limits, Row19APatternIsMatchedInLinearTimeWhateverTheTarget) {
  // A prefix goes before every pattern, so the rest of the host is a (shorter) pattern too.
  model::Route rest = push::make_route("root", "/", "aa");
  rest.match.path.kind = model::PathKind::kRegex;
  model::Route route = push::make_route("pattern", "/(a+)+$", "bb");
  route.match.path.kind = model::PathKind::kRegex;
  stage_.must_push({make_resource(rest), make_resource(route)});
  for (const std::size_t size : {100U, 1'000U, 30'000U}) {
    EXPECT_EQ(stage_.get("/" + std::string(size, 'a')).server(), "bb") << size;
    EXPECT_EQ(stage_.get("/" + std::string(size, 'a') + "!").server(), "aa") << size;
  }
}

TEST_F(Limits, RatesCountOverAllWorkersAndThroughChanges) {
  features::RateLimit settings;
  settings.zone = "shop/cart";
  settings.per_minute = 6;
  settings.burst_multiplier = 2;
  settings.rate_status = 429;
  install(policy_of(settings));
  const auto first = statuses(10);
  settings.exempt = {"192.0.2.0/24"};  // another policy of the same Ingress
  install(policy_of(settings));
  const auto second = statuses(10);
  const int served = first.at(200) + (second.contains(200) ? second.at(200) : 0);
  EXPECT_GE(served, 13) << "six a minute, twelve more at once";
  EXPECT_LE(served, 15) << "on a slow machine some seconds pass";
  EXPECT_GE(second.at(429), 5);
}

TEST_F(Limits, AnAddressThatIsNotAllowedGets403) {
  install(policy_of(features::IpAccess{{"192.0.2.0/24"}, {}}));
  EXPECT_EQ(stage_.get("/").status, 403);
  install(policy_of(features::IpAccess{{"127.0.0.0/8"}, {}}));
  EXPECT_EQ(stage_.get("/").status, 200);
}

TEST_F(Limits, NewConnectionsOfAnAddressAreRated) {
  ASSERT_EQ(statuses(30).at(200), 30);
  model::Settings settings;
  settings.new_connections_per_address = 2;
  set(settings);
  const auto got = statuses(60);
  EXPECT_GE(got.at(200), 10) << "five seconds' worth at once";
  EXPECT_GE(got.at(0), 1) << "the rest is closed at accept";
}

TEST_F(Limits, WithoutDescriptorsWhoWaitsIsClosedAndServiceGoesOn) {
  const pid_t worker = stage_.dataplane.worker();
  ASSERT_EQ(stage_.get("/").status, 200);
  rlimit limit{120, 120};
  ASSERT_EQ(::prlimit(worker, RLIMIT_NOFILE, &limit, nullptr), 0);
  Crowd crowd(stage_.port, 300, {});
  crowd.step(Millis(1'500));
  std::size_t served = 0;
  for (int i = 0; i < 20; ++i) {
    served +=
        push::eventually([&] { return stage_.get("/").status == 200; }, Millis(5'000)) ? 1 : 0;
    crowd.step(Millis(1));
  }
  EXPECT_EQ(served, 20U);
  EXPECT_LT(crowd.open(), 300U) << "some had to go";
}

TEST_F(Limits, AClientThatAsksOnAndTakesNothingIsNotKeptInMemory) {
  const pid_t worker = stage_.dataplane.worker();
  ASSERT_EQ(stage_.get("/").status, 200);
  const std::int64_t base = resident(worker);
  std::string requests;
  for (int i = 0; i < 500; ++i) requests += "GET / HTTP/1.1\r\nHost: none.test\r\n\r\n";
  Crowd crowd(stage_.port, 20,
              {.opening = {},
               .drip = requests,
               .every = Millis(1),
               .receive_buffer = 4'096,
               .reads = false});
  std::int64_t peak = base;
  const auto look = [&] {
    peak = std::max(peak, resident(worker));
    return false;
  };
  crowd.step_until(look, Millis(2'000));
  EXPECT_GT(crowd.sent(), 2'000'000U);
  RecordProperty("peak_bytes", static_cast<int>(peak - base));
  if (kResidentTells) {
    // 256 KiB of answers, each in blocks of 512 bytes, and what one read has brought.
    EXPECT_LE(peak - base, 20 * kMiB + 4 * kMiB)
        << "its answers wait for it up to a mark, its requests behind that";
  }
}

}  // namespace
}  // namespace weir::attack
