#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace weir::codec {

// Which of the last streams of a connection the client has closed itself, so that a frame on one of
// them is told from one that crossed a reset of ours. Fixed size; of older streams nothing is
// known.
class H2PastStreams {
 public:
  enum class State : std::uint8_t {
    kOther,           // open, reset by us, or too long ago
    kClosedByClient,  // END_STREAM or RST_STREAM, and over
    kNever            // below the newest, and passed over
  };

  // True, and noted, when HEADERS on this stream opens it.
  bool opens(std::int32_t id) {
    if (id <= newest_) return false;
    newest_ = id;
    forgotten_ = std::max(forgotten_, ring_[at_].id);
    ring_[at_] = {id, false};
    at_ = (at_ + 1) % ring_.size();
    return true;
  }
  void close(std::int32_t id) {
    if (Entry* entry = find(id)) entry->closed = true;
  }
  State state_of(std::int32_t id) {
    if (id > newest_ || id <= forgotten_ || id % 2 == 0) return State::kOther;
    const Entry* entry = find(id);
    if (entry == nullptr) return State::kNever;
    return entry->closed ? State::kClosedByClient : State::kOther;
  }

 private:
  struct Entry {
    std::int32_t id = 0;
    bool closed = false;
  };
  Entry* find(std::int32_t id) {
    const auto found =
        std::find_if(ring_.begin(), ring_.end(), [id](const Entry& e) { return e.id == id; });
    return found == ring_.end() ? nullptr : &*found;
  }

  std::array<Entry, 32> ring_{};
  std::size_t at_ = 0;
  std::int32_t newest_ = 0;
  std::int32_t forgotten_ = 0;  // the newest that left the ring
};

}  // namespace weir::codec
