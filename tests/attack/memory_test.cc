// The levels of memory pressure under real traffic: a dataplane with a small --memory-limit.

#include <gtest/gtest.h>

#include "tests/attack/crowd.h"
#include "tests/attack/figures.h"
#include "tests/attack/origin.h"
#include "tests/attack/polite.h"
#include "tests/push/stage.h"

namespace weir::attack {
namespace {

using model::make_resource;

constexpr std::int64_t kLimit = 96 * kMiB;

class Memory : public testing::Test {
 protected:
  Memory() {
    stage_.must_push({make_resource(push::make_endpoints("aa", {origin_.port()}))});
    worker_ = stage_.dataplane.worker();
  }
  double level() const { return metric(stage_.dataplane, "weir_memory_pressure"); }
  double acted(const std::string& action) const {
    return metric(stage_.dataplane, "weir_memory_pressure_actions_total",
                  "action=\"" + action + "\"");
  }
  // Slow readers: each makes the proxy hold what it does not take.
  static Habit reader() {
    return {.opening = "GET /big/8000000 HTTP/1.1\r\nHost: a.test\r\n\r\n",
            .drip = {},
            .every = Millis(500),
            .receive_buffer = 4'096,
            .reads = false};
  }
  std::string log() const { return stage_.dataplane.log(); }

  push::Stage stage_{{.workers = 1, .args = {"--memory-limit=" + std::to_string(kLimit)}}};
  Origin origin_;
  pid_t worker_ = -1;
};

TEST_F(Memory, SlowReadersAreBoundedByTheLimitAndItComesBack) {
  Polite polite(stage_.door(), 20);
  std::int64_t peak = 0;
  double highest = 0;
  const auto look = [&] {
    peak = std::max(peak, resident(worker_));
    highest = std::max(highest, level());
    return false;
  };
  std::vector<std::unique_ptr<Crowd>> crowds;
  // Five hundred weigh about 50 MiB: more of them until the pressure is felt, and some behind it.
  int behind = 0;
  for (int i = 0; i < 80 && (i < 10 || behind < 4); ++i) {
    behind += highest >= 1 ? 1 : 0;
    crowds.push_back(std::make_unique<Crowd>(stage_.port, 50, reader()));
    crowds.back()->step_until(look, Millis(200));
  }
  EXPECT_GE(highest, 1) << "level 1 begins at 80 %";
  if (kResidentTells) {
    EXPECT_LT(peak, kLimit);
  }
  for (const auto& crowd : crowds) crowd->leave();
  EXPECT_TRUE(push::eventually([&] { return level() == 0; }, Millis(15'000))) << log();
  EXPECT_EQ(stage_.get("/").status, 200);
  polite.stop();
  RecordProperty("peak_bytes", static_cast<int>(peak));
  RecordProperty("highest_level", static_cast<int>(highest));
  RecordProperty("polite_failed", static_cast<int>(polite.failed()));
}

TEST_F(Memory, AtLevelOneSmallRequestsAreServedAndLargeBodiesWait) {
  std::vector<std::unique_ptr<Crowd>> crowds;
  const auto reached = [&] { return level() >= 1; };
  for (int i = 0; i < 200 && !reached(); ++i) {
    crowds.push_back(std::make_unique<Crowd>(stage_.port, 5, reader()));
    crowds.back()->step(Millis(60));
  }
  ASSERT_GE(level(), 1) << log();
  if (level() < 3) {
    EXPECT_EQ(stage_.get("/").status, 200);
  }
  const std::string body(200'000, 'b');
  const std::size_t before = origin_.served();
  push::Client large(stage_.door());
  large.send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 200000\r\n\r\n" +
             body.substr(0, 50'000));
  EXPECT_TRUE(
      push::eventually([&] { return acted("body_held") >= 1 || acted("request_refused") >= 1; }));
  for (const auto& crowd : crowds) crowd->leave();
  large.send(body.substr(50'000));
  EXPECT_EQ(large.read().status, 200) << "memory came back and the body went on";
  EXPECT_GT(origin_.served(), before);
  EXPECT_TRUE(push::eventually([&] { return level() == 0; }, Millis(15'000))) << log();
  EXPECT_NE(log().find("memory is short"), std::string::npos);
  EXPECT_NE(log().find("memory is no longer short"), std::string::npos);
}

TEST(MemoryRefuses, FromLevelTwoConnectionsEndBehindTheirAnswerAndFromThreeRequestsAre503) {
  // A limit below what the process weighs: the highest level from the start.
  push::Stage stage{{.workers = 1, .args = {"--memory-limit=1000000"}}};
  EXPECT_TRUE(push::eventually([&] { return stage.get("/").status == 503; }));
  push::Client client(stage.door());
  const push::Answer answer = client.get("/", "a.test");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.field("Connection"), "close");
  EXPECT_TRUE(client.ends());
  push::Client waiting(stage.door());
  EXPECT_TRUE(waiting.ends()) << "who waits is closed";
  // Counted behind the close that the client has seen.
  const auto acted = [&stage](const char* action, double least) {
    return push::eventually([&] {
      return metric(stage.dataplane, "weir_memory_pressure_actions_total", action) >= least;
    });
  };
  EXPECT_TRUE(acted("waiting_closed", 1));
  EXPECT_TRUE(acted("request_refused", 2));
}

}  // namespace
}  // namespace weir::attack
