#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace weir::push {

using Clock = std::chrono::steady_clock;
using Millis = std::chrono::milliseconds;

// Sanitizer builds and busy machines are slow: how long a test waits for what must come.
inline constexpr Millis kPatience{20'000};

// Asks `test` every few milliseconds until it holds. False after `most`.
template <typename Test>
bool eventually(Test test, Millis most = kPatience);
void nap(Millis time);
int millis_until(Clock::time_point at);  // what is left until then, as poll takes it

// A port nobody listens on, IPv4 and IPv6, outside of the range of outgoing connections and apart
// from the ports of other test processes.
std::uint16_t free_port();

// Whether the resident set says what the proxy holds: sanitizers keep freed memory and add shadow.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kResidentTells = false;
#else
inline constexpr bool kResidentTells = true;
#endif

struct DataplaneOptions {
  unsigned workers = 1;
  std::vector<std::string> args = {};
  std::string drain_timeout = "2s";
  unsigned descriptors = 0;  // that a process of it may have; 0: as many as this one
};

// The real weir-dataplane, supervisor and worker process, in a folder of its own. It waits for a
// controller: Controller in controller.h. Ends with the object. One thread.
class Dataplane {
 public:
  explicit Dataplane(DataplaneOptions options = {});
  ~Dataplane();
  Dataplane(const Dataplane&) = delete;
  Dataplane& operator=(const Dataplane&) = delete;

  const std::string& folder() const { return folder_; }
  std::string control_socket() const { return folder_ + "/control.sock"; }
  std::uint16_t admin_port() const { return admin_port_; }
  std::string log() const;
  std::string access_log() const;
  pid_t worker() const;  // the process that serves; -1: none
  // SIGTERM; the exit code, nothing when it does not end in time.
  std::optional<int> stop();

 private:
  std::string folder_;
  std::uint16_t admin_port_ = 0;
  pid_t pid_ = -1;
};

template <typename Test>
bool eventually(Test test, Millis most) {
  const Clock::time_point until = Clock::now() + most;
  while (!test()) {
    if (Clock::now() > until) return false;
    nap(Millis(3));
  }
  return true;
}

}  // namespace weir::push
