#pragma once

#include <array>
#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "tests/scenario/harness/client.h"

namespace weir::scenario {

// Which backends may answer on a host, over time. A change is open from the moment before its file
// is written until it is acknowledged; in between the old and the new answer are right, after it
// only the new one. Any thread.
class Truth {
 public:
  void open(std::vector<std::string> allowed);
  void acknowledge();
  // May `backend` answer a request that was sent at `sent` and answered by now?
  bool allows(const std::string& backend, Clock::time_point sent) const;
  std::string describe() const;  // the newest epochs, for failures

 private:
  struct Epoch {
    std::vector<std::string> allowed;
    Clock::time_point from{};                            // before it was written
    Clock::time_point until = Clock::time_point::max();  // the next one was acknowledged
  };
  mutable std::mutex mutex_;
  std::vector<Epoch> epochs_;
};

// What the clients saw. Everything but `requests` and `benign` must stay 0.
struct Tally {
  std::atomic<long> requests{0}, benign{0}, lost{0}, reset{0}, truncated{0}, own_5xx{0};
  std::atomic<long> wrong_backend{0}, wrong_answer{0}, closed_without_notice{0}, not_connected{0};
  std::atomic<long> wrong_certificate{0}, websocket{0}, stream{0}, parked{0};
  void complain(const std::string& what);  // keeps the first ones
  std::string first_complaints() const;
  std::string to_string() const;
  bool clean() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> complaints_;
};

struct LossTarget {
  ClientOptions http, https;
  std::string host;
  Truth* truth;
};

// What they share. `changes` counts acknowledged changes.
struct LossRun {
  Tally tally;
  std::atomic<bool> stop{false};
  std::atomic<long> changes{0};
  Millis pace{0};  // of clients that ask again and again, between two requests
  std::mutex mutex;
  std::array<std::string, 2> certificates;  // that may be served: the last and the one before
};

// Each runs until run.stop on a thread of its own. TLS clients compare what they are shown with
// run.certificates, where there are any.
void keep_alive_client(LossRun& run, const LossTarget& target, const std::string& method, bool tls);
void new_connection_client(LossRun& run, const LossTarget& target, bool tls);
// `messages`: how many on one connection before it ends it and opens another.
void websocket_client(LossRun& run, const LossTarget& target, long messages = 1'000'000'000);
void stream_client(LossRun& run, const LossTarget& target);
// Opens connections and uses each for the first time only after a later change.
void parked_client(LossRun& run, const LossTarget& target, int connections);

}  // namespace weir::scenario
