#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <thread>

#include "tests/push/client.h"

namespace weir::attack {

// Good traffic beside an attack: one small request after another, a new connection only when the
// proxy asked for it. A thread of its own.
class Polite {
 public:
  // rate: requests a second.
  Polite(push::Door door, int rate);
  ~Polite();
  Polite(const Polite&) = delete;
  Polite& operator=(const Polite&) = delete;

  void stop();
  std::size_t served() const { return served_; }
  std::size_t failed() const { return failed_; }
  std::string first_failure();

 private:
  void run();

  const push::Door door_;
  const push::Millis gap_;
  std::atomic<bool> stop_{false};
  std::atomic<std::size_t> served_{0}, failed_{0};
  std::mutex mutex_;
  std::string first_failure_;
  std::thread thread_;
};

}  // namespace weir::attack
