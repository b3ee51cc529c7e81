#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "common/base/fd.h"

namespace weir::scenario {

using Clock = std::chrono::steady_clock;
using Millis = std::chrono::milliseconds;

// Sanitizer builds are slow: their tests wait longer and repeat less.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr int kSlowness = 8;
#else
inline constexpr int kSlowness = 1;
#endif
inline constexpr Millis kPatience{15'000 * (kSlowness > 1 ? 4 : 1)};

class Deadline {
 public:
  explicit Deadline(Millis in = kPatience) : at_(Clock::now() + in) {}
  bool over() const { return Clock::now() >= at_; }
  int millis_left() const;  // 0 when it is over

 private:
  Clock::time_point at_;
};

// Waits for these poll(2) events. False at the deadline.
bool wait_for(int fd, short events, const Deadline& deadline);

// A non-blocking socket that listens on that IPv4 address. port 0: any. Invalid when it is taken.
base::UniqueFd listen_on(const std::string& address, std::uint16_t port, int backlog = 1024);
base::UniqueFd listen_on_loopback(std::uint16_t port, int backlog = 1024);
std::uint16_t port_of(int fd);

// A non-blocking connection to 127.0.0.1, or to another IPv4 address; invalid when it is refused
// (errno says why). receive_buffer: SO_RCVBUF, 0: the system's.
base::UniqueFd connect_to(std::uint16_t port, const Deadline& deadline, int receive_buffer = 0,
                          const std::string& address = "127.0.0.1");

// `count` ports in a row that nobody listens on, outside of the range of outgoing connections.
std::uint16_t free_ports(int count);

// The next close sends a reset.
void reset_on_close(int fd);

// Asks test every millisecond or so until it holds. False at the deadline.
template <typename Test>
bool eventually(Test test, const Deadline& deadline = Deadline());

void nap(Millis time);

template <typename Test>
bool eventually(Test test, const Deadline& deadline) {
  while (!test()) {
    if (deadline.over()) return false;
    nap(Millis(2));
  }
  return true;
}

}  // namespace weir::scenario
