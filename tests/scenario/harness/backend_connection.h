#pragma once

#include <string>

#include "tests/scenario/harness/backends.h"

namespace weir::scenario {

// One accepted connection of a test backend.
struct BackendConnection {
  enum class Tunnel : std::uint8_t { kNone, kBytes, kWebSocket };

  BackendConnection(Backends::Backend& backend_in, std::uint64_t id_in, base::UniqueFd fd_in)
      : backend(backend_in), id(id_in), fd(std::move(fd_in)) {}

  // Waits for the first byte of a request.
  bool idle() const {
    return !busy && tunnel == Tunnel::kNone && in.empty() && out.empty() && generated == 0 &&
           reader.state() == MessageReader::State::kHead;
  }
  // More of a generated body into out; false when there is nothing to send.
  bool fill();
  void want(int epoll);

  Backends::Backend& backend;
  std::uint64_t id;
  base::UniqueFd fd;
  std::string in, out;
  MessageReader reader{MessageReader::Kind::kRequest};
  Message request;            // the one in work
  bool busy = false;          // a request is in work
  bool head_seen = false;     // of the request that is being read
  bool closing = false;       // after out has been sent
  bool resting = false;       // reads nothing for a while
  std::size_t generated = 0;  // bytes of the pattern that are still to be sent
  std::size_t generated_at = 0;
  Tunnel tunnel = Tunnel::kNone;
  std::uint32_t wanted = 0;  // epoll events that are registered, 0: as accepted
  // The last answer. One that has given none is new, not idle: its request may be on its way.
  Clock::time_point idle_since = Clock::time_point::max();
};

}  // namespace weir::scenario
