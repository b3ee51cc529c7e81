#pragma once

#include <array>
#include <cstdint>

namespace weir::listener {

class Connection;

// The idle connections of one worker that still own a codec session: a ring of fixed size. The one
// that is displaced gives its session up and takes a new one with its next byte, so that thousands
// of idle connections hold a few hundred sessions and a busy connection keeps its own. One thread.
class WarmSessions {
 public:
  static constexpr std::uint16_t kRoom = 256;
  static constexpr std::uint16_t kNowhere = kRoom;  // a place that is none

  // Puts it into the next place.
  //   place: told to the connection, which keeps it until it is displaced or calls leave().
  //   returns: the connection that was there, null when none.
  Connection* enter(Connection& connection, std::uint16_t& place) {
    place = next_;
    next_ = static_cast<std::uint16_t>((next_ + 1) % kRoom);
    Connection* const displaced = ring_[place];
    ring_[place] = &connection;
    return displaced;
  }
  void leave(std::uint16_t place) {
    if (place != kNowhere) ring_[place] = nullptr;
  }

 private:
  std::array<Connection*, kRoom> ring_{};
  std::uint16_t next_ = 0;
};

}  // namespace weir::listener
