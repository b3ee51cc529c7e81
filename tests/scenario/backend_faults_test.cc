// Row 24 of the fault matrix: backends reset and cut their answers, close idle connections in a
// race with requests, answer slowly and die, while clients ask on. No request is answered by
// another's answer, none hangs, no GET notices a backend's idle close, and no POST is delivered
// twice: one that loses that race is answered 502, for nobody knows whether it was delivered.

#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

#include "tests/scenario/harness/stage.h"

namespace weir::scenario {
namespace {

// WEIR_ROW_REQUESTS: how many in all; the fault matrix asks for 100,000.
long wanted_requests() {
  const char* const said = std::getenv("WEIR_ROW_REQUESTS");
  return said == nullptr ? 4'000 : std::atol(said);
}

struct Seen {
  std::atomic<long> requests{0}, good{0}, refused{0}, raced{0}, cut{0}, wrong{0}, lost{0};
  std::mutex mutex;
  std::vector<std::string> posts;  // probes of all that were sent
  std::string first;               // complaint
  void complain(const std::string& what) {
    const std::lock_guard lock(mutex);
    if (first.empty()) first = what;
  }
};

struct Fault {
  const char* what;  // X-Do
  bool fails;        // the backend does not answer it whole
};
// Of ten requests one meets each of these; the others are plain.
constexpr Fault kFaults[] = {{"reset", true}, {"cut", true}, {"delay:30", false}, {"close", false}};

const Fault* fault_of(long n) {
  const long turn = n % 10;
  return turn < 4 ? &kFaults[turn] : nullptr;
}

void judge(Seen& seen, const Answer& answer, const Fault* fault, const std::string& probe,
           bool post) {
  ++seen.requests;
  const bool fails = fault != nullptr && fault->fails;
  const bool ours = answer.outcome == Outcome::kAnswered && answer.made_by_proxy();
  if (answer.outcome == Outcome::kAnswered && answer.status == 200 && !fails) {
    ++seen.good;
  } else if (ours && answer.status == 502 && fails) {
    ++seen.refused;
  } else if (ours && answer.status == 502 && post) {
    ++seen.raced;
  } else if (answer.outcome == Outcome::kTruncated && fails) {
    ++seen.cut;
  } else if (answer.outcome == Outcome::kAnswered) {
    ++seen.wrong;
    seen.complain(probe + " " + (fault == nullptr ? "plain" : fault->what) + ": " +
                  answer.to_string());
  } else {
    ++seen.lost;
    seen.complain(probe + " " + (fault == nullptr ? "plain" : fault->what) + ": " +
                  answer.to_string());
  }
}

// GET and POST by turns, each with a probe of its own, that many.
void client(Seen& seen, const ClientOptions& options, int number, long count) {
  Client one(options);
  for (long n = 0; n < count; ++n) {
    const std::string probe = std::to_string(number) + "-" + std::to_string(n);
    const bool post = n % 2 == 1;
    const Fault* const fault = fault_of(n / 2 + number);
    Request request{.method = post ? "POST" : "GET", .target = "/" + probe, .host = "a.test"};
    request.fields.emplace_back("X-Probe", probe);
    if (fault != nullptr) request.fields.emplace_back("X-Do", fault->what);
    if (post) request.body = pattern(static_cast<std::size_t>(n % 700));
    if (post) {
      const std::lock_guard lock(seen.mutex);
      seen.posts.push_back(probe);
    }
    const Answer answer = one.ask(request);
    judge(seen, answer, fault, probe, post);
    // "GET /3-14 a length=…": another request's answer names another target.
    if (answer.status == 200 && answer.message.body.find(" /" + probe + " ") == std::string::npos) {
      ++seen.wrong;
      seen.complain(probe + " got " + answer.message.body);
    }
    if (answer.outcome != Outcome::kAnswered || answer.says_close()) one.close();
  }
}

TEST(Row24Backends, ThatFailInEveryWayHarmOnlyTheirOwnRequestsAndGetNoPostTwice) {
  Stage stage;
  stage.serve("a", {"a-0", "a-1", "a-2"});
  stage.backends.set_idle_limit(Millis(15));  // shorter than many pauses: the race is on
  stage.files["ingress.yaml"] = simple_ingress("a", "a.test", "a");
  Weir weir(stage.files, {.access_log = false});
  ASSERT_TRUE(weir.ready());
  constexpr int kClients = 8;
  const long each = wanted_requests() / kClients;
  Seen seen;
  std::vector<std::thread> threads;
  for (int i = 0; i < kClients; ++i) {
    threads.emplace_back([&, i] { client(seen, weir.http(), i, each); });
  }
  // Meanwhile pods come and go: one new is there before the oldest ends.
  std::vector<std::string> names = {"a-0", "a-1", "a-2"};
  for (int next = 3; seen.requests < each * kClients * 9 / 10; ++next) {
    const std::string fresh = "a-" + std::to_string(next);
    stage.ports[fresh] = stage.backends.add(fresh);
    const std::string gone = names.front();
    names.erase(names.begin());
    names.push_back(fresh);
    if (!weir.change(Stage::file_of("a"), stage.service_of("a", names))) break;
    nap(Millis(50));
    stage.backends.shut(gone);
    nap(Millis(150));
  }
  for (std::thread& thread : threads) thread.join();
  long twice = 0;
  for (const std::string& probe : seen.posts) twice += stage.backends.deliveries(probe) > 1 ? 1 : 0;
  std::printf(
      "[ row 24 ] requests %ld: good %ld, 502 %ld, cut short %ld, POSTs in the race %ld; lost %ld, "
      "wrong %ld, POSTs "
      "delivered twice %ld of %zu\n",
      seen.requests.load(), seen.good.load(), seen.refused.load(), seen.cut.load(),
      seen.raced.load(), seen.lost.load(), seen.wrong.load(), twice, seen.posts.size());
  EXPECT_EQ(twice, 0);
  EXPECT_EQ(seen.lost.load(), 0) << seen.first;
  EXPECT_EQ(seen.wrong.load(), 0) << seen.first;
  EXPECT_GE(seen.good.load(), seen.requests.load() * 7 / 10);
  EXPECT_LE(seen.raced.load(), seen.requests.load() / 50);
  EXPECT_GT(seen.refused.load(), 0);
  EXPECT_GT(seen.cut.load(), 0);
}

}  // namespace
}  // namespace weir::scenario
