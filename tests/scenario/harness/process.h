#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/scenario/harness/socket.h"

namespace weir::scenario {

std::string text_of(const std::string& path);  // the whole file; empty when it cannot be read

// A program under test. It is killed when the thread that started it ends, however that happens.
class Process {
 public:
  Process() = default;
  // Both outputs are appended to the log file.
  Process(const std::vector<std::string>& command, const std::string& log);
  ~Process();
  Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  Process& operator=(Process&& other) noexcept {
    std::swap(pid_, other.pid_);
    return *this;
  }

  pid_t pid() const { return pid_; }
  void signal(int number) const;
  // Exit code, 128 + signal, or nothing at the deadline.
  std::optional<int> wait(const Deadline& deadline = Deadline());

 private:
  pid_t pid_ = -1;
};

// kill(2) to exactly one process that exists. False, and nothing is sent, for every other pid: 0, 1
// and the negative ones name groups, or everybody.
bool send_signal(pid_t pid, int number);

std::vector<pid_t> children_of(pid_t pid);
std::string command_of(pid_t pid);         // base name of its program
bool alive(pid_t pid);                     // and no zombie
std::uint64_t cpu_nanoseconds(pid_t pid);  // of all threads that live
// In kB; nothing when it may not be read.
std::optional<long> pss_kilobytes(pid_t pid);
std::optional<long> private_kilobytes(pid_t pid);  // pages that no other process has

}  // namespace weir::scenario
