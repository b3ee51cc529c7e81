#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace weir::e2e {

using Millis = std::chrono::milliseconds;
inline constexpr Millis kPatience{20'000};

// Asks every 2 ms until it holds. False at the deadline.
bool eventually(const std::function<bool()>& test, Millis patience = kPatience);

// A program under test; it dies with the thread that started it.
class Process {
 public:
  Process() = default;
  // Both outputs are appended to the log file.
  Process(const std::vector<std::string>& command, const std::string& log);
  ~Process();
  Process(Process&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)), held_(std::move(other.held_)) {}
  Process& operator=(Process&& other) noexcept {
    std::swap(pid_, other.pid_);
    std::swap(held_, other.held_);
    return *this;
  }

  pid_t pid() const { return pid_; }
  bool running();
  void terminate();  // SIGTERM, and waits up to 10 s
  void kill();       // SIGKILL, and waits
  // SIGSTOP to it and then to its children, SIGCONT the other way round, so that it does not find
  // that one of them hangs.
  void hold();
  void let_go();

 private:
  pid_t pid_ = -1;
  std::vector<pid_t> held_;  // parents first
};

// Runs to the end; its standard output. A failure of the test when it ends with anything but 0.
std::string run_program(const std::vector<std::string>& command);

// CPU time of all threads of a process and of its children, nanoseconds.
std::uint64_t cpu_nanoseconds(pid_t pid);

}  // namespace weir::e2e
