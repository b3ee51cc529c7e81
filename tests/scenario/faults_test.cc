// Processes that end, die or hang: reliability rows 8, 9 and 25, and what the dataplane weighs.

#include <gtest/gtest.h>

#include <csignal>
#include <functional>

#include "tests/scenario/harness/stage.h"

namespace weir::scenario {
namespace {

// Clients that ask all the time, on kept connections and on new ones, and count what goes wrong.
class Load {
 public:
  // ending: the proxy is going to end, and its connections with it.
  explicit Load(const Weir& weir, bool ending = false) : ending_(ending) {
    for (int i = 0; i < 3; ++i) {
      threads_.emplace_back([this, &weir] { keep(weir); });
    }
    threads_.emplace_back([this, &weir] {
      while (!stop_) {
        count(ask_once(weir.http(), {.method = "POST"}), true);
        nap(Millis(2));
      }
    });
  }
  ~Load() { stop(); }
  void stop() {
    stop_ = true;
    for (std::thread& one : threads_) one.join();
    threads_.clear();
  }

  std::atomic<long> asked{0}, failed{0}, closed{0}, refused{0};
  std::string first() const {
    const std::lock_guard lock(mutex_);
    return first_;
  }

 private:
  // fresh: on a connection of its own.
  void count(const Answer& answer, bool fresh = false) {
    ++asked;
    if (answer.status == 200) return;
    ++failed;
    // TCP has no way to close a listening socket that does not reset who arrives in that moment.
    const bool at_the_door = fresh && ending_ && answer.outcome == Outcome::kReset;
    if (answer.outcome == Outcome::kNotConnected || at_the_door) {
      ++refused;
      return;
    }
    const std::lock_guard lock(mutex_);
    if (first_.empty()) first_ = answer.to_string();
  }
  void keep(const Weir& weir) {
    Client client(weir.http());
    while (!stop_) {
      const Answer answer = client.ask({});
      if (answer.outcome == Outcome::kClosedBefore) {
        ++closed;
        client.close();
      } else {
        count(answer);
        if (answer.status != 200 || answer.says_close()) client.close();
        if (answer.says_close() && !ending_) ++closed;
      }
      nap(Millis(1));
    }
  }

  const bool ending_;
  std::atomic<bool> stop_{false};
  mutable std::mutex mutex_;
  std::string first_;
  std::vector<std::thread> threads_;
};

struct Scene {
  using Files = std::map<std::string, std::string>;
  explicit Scene(
      WeirOptions options = {}, int ingresses = 1,
      std::function<void(Files&)> more = [](Files&) {}) {
    stage.serve("a", {"a-0", "a-1"});
    stage.files["a.yaml"] = simple_ingress("a", "a.test", "a");
    for (int file = 0; file * 100 < ingresses - 1; ++file) {
      std::string text;
      for (int i = file * 100; i < std::min(file * 100 + 100, ingresses - 1); ++i) {
        const std::string name = "host-" + std::to_string(i);
        text += simple_ingress(name, name + ".test", "a");
      }
      stage.files["many-" + std::to_string(file) + ".yaml"] = text;
    }
    more(stage.files);
    weir.emplace(stage.files, std::move(options));
  }
  Stage stage;
  std::optional<Weir> weir;
};

TEST(Faults, ControllersDieAndComeBackAndNobodyNotices) {
  Scene scene({.separate = true});
  ASSERT_TRUE(scene.weir->ready());
  Client idle(scene.weir->http());
  ASSERT_EQ(idle.ask({}).status, 200);
  Load load(*scene.weir);
  const int times = kSlowness > 1 ? 5 : 30;
  for (int i = 0; i < times; ++i) {
    scene.weir->kill_controller();
    nap(Millis(20));
    scene.weir->start_controller();
    // Every second one dies while it says hello.
    if (i % 2 == 0) {
      ASSERT_TRUE(eventually([&] {
        return scene.weir->admin_ready(scene.weir->controller_admin_port());
      })) << "controller "
          << i;
    }
  }
  scene.weir->kill_controller();
  ASSERT_TRUE(scene.weir->restart_controller());
  ASSERT_TRUE(scene.weir->change("b.yaml", simple_ingress("b", "b.test", "a")));
  EXPECT_EQ(ask_once(scene.weir->http(), {.host = "b.test"}).status, 200);
  load.stop();
  std::printf("[ faults ] %d controllers killed: %ld requests, %ld failed, %ld closed\n", times,
              load.asked.load(), load.failed.load(), load.closed.load());
  EXPECT_EQ(load.failed, 0) << load.first();
  EXPECT_EQ(load.closed, 0);
  EXPECT_EQ(idle.ask({}).status, 200) << "a connection from before the first death";
}

TEST(Faults, AResyncAfterADeathTakesWhatChangedMeanwhileAndDropsWhatIsGone) {
  Scene scene({.separate = true});
  ASSERT_TRUE(scene.weir->ready());
  ASSERT_TRUE(scene.weir->change("gone.yaml", simple_ingress("gone", "gone.test", "a")));
  scene.weir->kill_controller();
  scene.weir->remove("gone.yaml");
  scene.weir->write("new.yaml", simple_ingress("new", "new.test", "a"));
  EXPECT_EQ(ask_once(scene.weir->http(), {.host = "gone.test"}).status, 200) << "last good stays";
  scene.weir->start_controller();
  EXPECT_TRUE(
      eventually([&] { return ask_once(scene.weir->http(), {.host = "new.test"}).status == 200; }));
  EXPECT_TRUE(eventually(
      [&] { return ask_once(scene.weir->http(), {.host = "gone.test"}).status == 404; }));
  EXPECT_EQ(ask_once(scene.weir->http(), {}).status, 200);
}

TEST(Faults, AControllerThatHangsStopsNothingAndCatchesUp) {
  Scene scene;
  ASSERT_TRUE(scene.weir->ready());
  const pid_t controller = scene.weir->controller();
  ASSERT_GT(controller, 0);
  Load load(*scene.weir);
  ASSERT_TRUE(send_signal(controller, SIGSTOP));
  for (int i = 0; i < 10; ++i) {
    scene.weir->write("b.yaml", simple_ingress("b", "b-" + std::to_string(i) + ".test", "a"));
    nap(Millis(50));
  }
  EXPECT_TRUE(scene.weir->admin_ready(scene.weir->admin_port())) << "the dataplane stays ready";
  ASSERT_TRUE(send_signal(controller, SIGCONT));
  EXPECT_TRUE(
      eventually([&] { return ask_once(scene.weir->http(), {.host = "b-9.test"}).status == 200; }));
  EXPECT_EQ(ask_once(scene.weir->http(), {.host = "b-0.test"}).status, 404);
  load.stop();
  EXPECT_EQ(load.failed, 0) << load.first();
  EXPECT_EQ(load.closed, 0);
}

TEST(Faults, SigtermUnderLoadFinishesWhatIsInWorkAndExitsClean) {
  Scene scene({.separate = true});
  ASSERT_TRUE(scene.weir->ready());
  Client slow(scene.weir->http());
  ASSERT_TRUE(slow.connect());
  slow.send(Request{.fields = {{"X-Do", "delay:400"}}}.to_bytes());
  Client stream(scene.weir->http());
  ASSERT_TRUE(stream.connect());
  stream.send(Request{.fields = {{"X-Do", "stream:10:50"}}}.to_bytes());
  Client kept(scene.weir->http());
  ASSERT_EQ(kept.ask({}).status, 200);
  nap(Millis(100));
  const Clock::time_point start = Clock::now();
  scene.weir->signal_dataplane(SIGTERM);
  EXPECT_TRUE(eventually([&] { return !scene.weir->admin_ready(scene.weir->admin_port()); }));
  EXPECT_EQ(slow.read().status, 200);
  const Answer streamed = stream.read();
  EXPECT_EQ(streamed.outcome, Outcome::kAnswered) << streamed.to_string();
  EXPECT_EQ(streamed.message.trailers.size(), 1U);
  EXPECT_TRUE(eventually([&] { return kept.ended_by_peer(); })) << "an idle connection stays open";
  const auto codes = scene.weir->stop();
  EXPECT_EQ(codes[0], std::optional<int>(0)) << "exit code of the dataplane";
  EXPECT_EQ(codes[1], std::optional<int>(0)) << "exit code of the controller";
  EXPECT_LT(Clock::now() - start, Millis(3'000) * kSlowness);
}

// Without a load balancer in front, a new connection after the end is refused: that is not counted.
TEST(Faults, SigtermUnderLoadLosesNoRequest) {
  const int times = kSlowness > 1 ? 1 : 5;
  long asked = 0;
  long failed = 0;
  std::string first;
  for (int i = 0; i < times; ++i) {
    Scene scene({.separate = true});
    ASSERT_TRUE(scene.weir->ready());
    Load load(*scene.weir, true);
    nap(Millis(300));
    scene.weir->signal_dataplane(SIGTERM);
    EXPECT_TRUE(eventually([&] { return load.refused > 2; }));
    load.stop();
    asked += load.asked - load.refused;
    failed += load.failed - load.refused;
    if (failed > 0 && first.empty()) first = load.first();
  }
  std::printf("[ faults ] SIGTERM under load, %d times: %ld requests, %ld failed\n", times, asked,
              failed);
  EXPECT_EQ(failed, 0) << first;
}

// Row 15. The broken object stands in one file with a good one and is there from the start.
TEST(Faults, OneBadObjectAmongTenThousandHarmsOnlyItself) {
  const int ingresses = kSlowness > 1 ? 1'000 : 10'000;
  const std::string odd = ingress(
      {.name = "odd",
       .rules = {{"odd.test", {{.type = "Sideways"}}}, {"host-7.test", {{.path = "/odd"}}}}});
  const auto broken = [&](std::map<std::string, std::string>& files) {
    files["mixed.yaml"] = simple_ingress("before", "before.test", "a") + odd +
                          simple_ingress("behind", "behind.test", "a");
  };
  Scene scene({.patience = Millis(90'000) * kSlowness}, ingresses, broken);
  ASSERT_TRUE(scene.weir->ready());
  for (const char* host : {"before.test", "behind.test", "host-0.test", "host-7.test"}) {
    EXPECT_EQ(ask_once(scene.weir->http(), {.host = host}).status, 200) << host;
  }
  const std::string last = "host-" + std::to_string(ingresses - 2) + ".test";
  EXPECT_EQ(ask_once(scene.weir->http(), {.host = last}).status, 200);
  EXPECT_EQ(ask_once(scene.weir->http(), {.host = "odd.test"}).status, 404);
  const std::string log = scene.weir->log();
  for (const char* part : {"default/odd", "pathType", "Sideways", "ImplementationSpecific"}) {
    EXPECT_NE(log.find(part), std::string::npos) << part << " is missing in the report";
  }
  // The others go on changing in the usual time while it is there, and it is served once mended.
  const Clock::time_point start = Clock::now();
  ASSERT_TRUE(scene.weir->change("new.yaml", simple_ingress("new", "new.test", "a")));
  const auto took = std::chrono::duration_cast<Millis>(Clock::now() - start);
  std::printf("[ faults ] a change beside a bad object among %d: live after %ld ms\n", ingresses,
              static_cast<long>(took.count()));
  EXPECT_EQ(ask_once(scene.weir->http(), {.host = "new.test"}).status, 200);
  ASSERT_TRUE(scene.weir->change("mixed.yaml", simple_ingress("odd", "odd.test", "a")));
  EXPECT_EQ(ask_once(scene.weir->http(), {.host = "odd.test"}).status, 200);
}

TEST(Faults, WeirctlUpEndsBothProcessesAndExitsClean) {
  Scene scene;
  ASSERT_TRUE(scene.weir->ready());
  const std::vector<pid_t> pids = {scene.weir->controller(), scene.weir->supervisor(),
                                   scene.weir->worker()};
  const auto codes = scene.weir->stop();
  ASSERT_EQ(codes.size(), 1U);
  EXPECT_EQ(codes[0], std::optional<int>(0));
  for (const pid_t pid : pids) {
    ASSERT_GT(pid, 0);
    EXPECT_FALSE(alive(pid)) << pid;
  }
}

TEST(Faults, SignalsThatMeanNothingToAProxyAreIgnored) {
  Scene scene;
  ASSERT_TRUE(scene.weir->ready());
  Load load(*scene.weir);
  for (int i = 0; i < 20; ++i) {
    for (const int number : {SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE}) {
      for (const pid_t pid : {scene.weir->supervisor(), scene.weir->worker()}) {
        ASSERT_TRUE(send_signal(pid, number)) << "signal " << number << " ended a process";
      }
    }
    nap(Millis(10));
  }
  load.stop();
  EXPECT_EQ(load.failed, 0) << load.first();
}

TEST(Faults, FiveThousandIngressesWeighAtMostFortyMegabytes) {
  const int ingresses = kSlowness > 1 ? 500 : 5'000;
  Scene scene({.patience = Millis(60'000) * kSlowness}, ingresses);
  ASSERT_TRUE(scene.weir->ready());
  EXPECT_EQ(ask_once(scene.weir->http(), {.host = "host-100.test"}).status, 200);
  Load load(*scene.weir);
  nap(Millis(1'000));
  load.stop();
  EXPECT_EQ(load.failed, 0) << load.first();
  const auto supervisor = pss_kilobytes(scene.weir->supervisor());
  const auto worker = pss_kilobytes(scene.weir->worker());
  const auto controller = pss_kilobytes(scene.weir->controller());
  if (!supervisor || !worker || !controller) GTEST_SKIP() << "smaps_rollup may not be read here";
  std::printf(
      "[ faults ] PSS at %d Ingresses: supervisor %.1f MB, worker process %.1f MB, "
      "controller %.1f MB\n",
      ingresses, static_cast<double>(*supervisor) / 1e3, static_cast<double>(*worker) / 1e3,
      static_cast<double>(*controller) / 1e3);
  if (kSlowness == 1) {
    EXPECT_LE(*supervisor + *worker, 40 * 1024);
  }
}

}  // namespace
}  // namespace weir::scenario
