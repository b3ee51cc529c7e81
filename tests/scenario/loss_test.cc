// Nothing is dropped by a change: clients of every kind through 200 changes of endpoints, routes
// and certificates, and through the death of the controller.

#include <gtest/gtest.h>

#include "tests/scenario/harness/stage.h"
#include "tests/scenario/loss_clients.h"

namespace weir::scenario {
namespace {

constexpr int kChanges = kSlowness > 1 ? 40 : 200;
constexpr long kRequests = kSlowness > 1 ? 4'000 : 200'000;
constexpr Millis kLongest{400'000};  // 75 s do where two processors are ours alone

// The world that changes: three hosts, each with changes of its own kind.
//   churn.test   endpoints of one Service come and go; the ones that go are really shut down
//   moved.test   its route moves between two Services
//   still.test   never changes, but shares certificates and listeners with the others
class World {
 public:
  World()
      : weir_((prepare(), stage_.files), {.separate = true}),
        still_{weir_.http(), weir_.https("still.test"), "still.test", &still_truth_},
        churn_{weir_.http(), weir_.https("churn.test"), "churn.test", &churn_truth_},
        moved_{weir_.http(), weir_.https("moved.test"), "moved.test", &moved_truth_} {}

  Weir& weir() { return weir_; }
  LossRun& run() { return run_; }
  const std::vector<std::thread>& start_clients();
  void stop_clients();

  // One change, acknowledged. False when it was not.
  bool change(int n) {
    const bool done = n % 4 == 1 ? move_route() : n % 4 == 3 ? rotate_certificate() : churn();
    run_.changes += done ? 1 : 0;
    return done;
  }

 private:
  void prepare() {
    stage_.serve("still", {"still-0", "still-1"});
    stage_.serve("left", {"left"});
    stage_.serve("right", {"right"});
    for (int i = 0; i < 3; ++i) add_churner();
    stage_.files[Stage::file_of("churn")] = stage_.service_of("churn", churners_);
    stage_.files["still.yaml"] = tls_ingress("still", "still");
    stage_.files["churn.yaml"] = tls_ingress("churn", "churn");
    stage_.files["moved.yaml"] = tls_ingress("moved", "left");
    stage_.files["secret.yaml"] = next_certificate();
    still_truth_.open({"still-0", "still-1"});
    churn_truth_.open(churners_);
    moved_truth_.open({"left"});
  }

  void add_churner() {
    const std::string name = "churn-" + std::to_string(next_churner_++);
    stage_.ports[name] = stage_.backends.add(name);
    churners_.push_back(name);
  }

  static std::string tls_ingress(const std::string& name, const std::string& service) {
    return ingress({.name = name,
                    .rules = {{name + ".test", {{.service = service}}}},
                    .annotations = {{"ssl-redirect", "false"}},
                    .secret = "everything",
                    .tls_hosts = {name + ".test"}});
  }

  std::string next_certificate() {
    const auto pair = make_certificate({"*.test", "still.test", "churn.test", "moved.test"});
    const std::lock_guard lock(run_.mutex);
    run_.certificates[1] = std::exchange(run_.certificates[0], fingerprint_of(pair));
    return tls_secret("everything", pair);
  }

  bool churn() {
    const std::string gone = churners_.front();
    churners_.erase(churners_.begin());
    add_churner();
    churn_truth_.open(churners_);
    if (!weir_.change(Stage::file_of("churn"), stage_.service_of("churn", churners_))) return false;
    churn_truth_.acknowledge();
    // A pod that has left its Service goes on for a moment, and then it really is away.
    nap(Millis(30 * kSlowness));
    stage_.backends.shut(gone);
    return true;
  }

  bool move_route() {
    const std::string to = moved_right_ ? "left" : "right";
    moved_right_ = !moved_right_;
    moved_truth_.open({to});
    if (!weir_.change("moved.yaml", tls_ingress("moved", to))) return false;
    moved_truth_.acknowledge();
    return true;
  }

  bool rotate_certificate() { return weir_.change("secret.yaml", next_certificate()); }

  LossRun run_;
  Truth still_truth_, churn_truth_, moved_truth_;
  Stage stage_;
  std::vector<std::string> churners_;
  int next_churner_ = 0;
  bool moved_right_ = false;
  Weir weir_;
  LossTarget still_, churn_, moved_;
  std::vector<std::thread> threads_;
};

const std::vector<std::thread>& World::start_clients() {
  for (const LossTarget* target : {&still_, &churn_, &moved_}) {
    for (const char* method : {"GET", "PUT", "POST"}) {
      threads_.emplace_back(
          [this, target, method] { keep_alive_client(run_, *target, method, method[1] == 'U'); });
    }
    threads_.emplace_back([this, target] { new_connection_client(run_, *target, false); });
    threads_.emplace_back([this, target] { new_connection_client(run_, *target, true); });
    threads_.emplace_back([this, target] { websocket_client(run_, *target); });
    threads_.emplace_back([this, target] { stream_client(run_, *target); });
    threads_.emplace_back([this, target] { parked_client(run_, *target, 20); });
  }
  return threads_;
}

void World::stop_clients() {
  run_.stop = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

TEST(Loss, NothingIsLostThroughTwoHundredChangesAndTheDeathOfTheController) {
  World world;
  ASSERT_TRUE(world.weir().ready());
  const Clock::time_point start = Clock::now();
  world.start_clients();
  int changes = 0;
  int restarts = 0;
  bool acknowledged = true;
  const auto elapsed = [start] { return std::chrono::duration_cast<Millis>(Clock::now() - start); };
  while (acknowledged && elapsed() < kLongest &&
         (changes < kChanges || world.run().tally.requests < kRequests)) {
    if (changes % 40 == 20 && restarts <= changes / 40) {
      world.weir().kill_controller();
      nap(Millis(100));
      acknowledged = world.weir().restart_controller();
      ++restarts;
      if (!acknowledged) break;
    }
    acknowledged = world.change(changes);
    ++changes;
  }
  world.stop_clients();
  const Tally& tally = world.run().tally;
  std::printf("[ loss ] %d changes, %d controllers killed, %.1f s: %s\n", changes, restarts,
              static_cast<double>(elapsed().count()) / 1e3, tally.to_string().c_str());
  EXPECT_TRUE(acknowledged) << "change " << changes << " was never acknowledged";
  EXPECT_GE(changes, kChanges);
  EXPECT_GE(restarts, 1);
  EXPECT_GE(tally.requests.load(), kRequests);
  EXPECT_TRUE(tally.clean()) << tally.to_string() << "\n" << tally.first_complaints();
}

}  // namespace
}  // namespace weir::scenario
