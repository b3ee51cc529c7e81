#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <string>
#include <thread>

#include "tests/h2/frames.h"
#include "tests/h2/socket.h"
#include "tests/push/stage.h"

namespace weir::attack {

// Sanitizers keep freed memory: figures of it say nothing there.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kMemoryCounts = false;
#else
inline constexpr bool kMemoryCounts = true;
#endif

// Bytes of a process that are in memory and its own.
inline long resident(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/status");
  std::string word;
  while (in >> word) {
    long kib = 0;
    if (word == "RssAnon:" && in >> kib) return kib * 1024;
  }
  return -1;
}

// Asks for a page again and again beside an attack.
class Polite {
 public:
  explicit Polite(push::Door door) : thread_([this, door] { run(door); }) {}
  ~Polite() { stop(); }
  Polite(const Polite&) = delete;
  Polite& operator=(const Polite&) = delete;
  // How many requests failed.
  int stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
    return failed_;
  }
  int asked() const { return asked_; }

 private:
  void run(const push::Door& door) {
    while (!stop_) {
      ++asked_;
      if (push::get(door, "/polite", "a.test").status != 200) ++failed_;
      push::nap(push::Millis(10));
    }
  }
  std::atomic<bool> stop_{false};
  std::atomic<int> asked_{0};
  std::atomic<int> failed_{0};
  std::thread thread_;
};

// A dataplane under attack: what it holds before, and after.
class Victim : public push::Stage {
 public:
  Victim() {
    get("/warm");
    base_ = resident(dataplane.worker());
  }
  // At most twice the bytes sent, 2 MB, and what a plain connection may cost; call while the attack
  // stands.
  void expect_small(std::size_t sent) const {
    if (!kMemoryCounts) return;
    const long grown = resident(dataplane.worker()) - base_;
    EXPECT_LE(grown, static_cast<long>(2 * sent) + 2'000'000 + 1024) << "bytes sent: " << sent;
  }
  void expect_back() const {
    if (!kMemoryCounts) return;
    const bool is_back = push::eventually(
        [this] { return resident(dataplane.worker()) - base_ < 2'000'000; }, push::Millis(10'000));
    EXPECT_TRUE(is_back) << resident(dataplane.worker()) - base_ << " bytes over the base";
  }
  std::size_t at_origin() const { return aa.served(); }

 private:
  long base_ = 0;
};

}  // namespace weir::attack
