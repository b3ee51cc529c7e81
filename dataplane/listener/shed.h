#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "common/base/clock.h"
#include "common/base/ip.h"

namespace weir::listener {

// A client's connection as one that may have to go when something runs out. One thread.
class Waiter {
 public:
  // In the order in which they go.
  enum class Tier : std::uint8_t {
    kSilent,  // not a byte came of it
    kBegan,   // no whole request came yet: half a head, a TLS handshake
    kServed,  // it has been served, and asks for nothing now
  };
  struct Wait {
    Tier tier = Tier::kSilent;
    base::TimePoint since;  // accept, or its last answer
    const base::SocketAddress* client = nullptr;
  };
  // Nothing while a request of it is served.
  virtual std::optional<Wait> wait() const = 0;
  // Whether bytes of it wait in the kernel. A system call.
  virtual bool has_unread() const = 0;
  virtual void shed(const char* why) = 0;  // closes it at once

 protected:
  ~Waiter() = default;
};

struct Shed {
  std::size_t closed = 0;
  bool soon = false;  // some have not waited long enough yet
};

// How many of this many connections to close at a time when something runs out: a part, so that
// looking for them costs each accept little however many are open.
std::size_t shed_batch(std::size_t connections);

// Closes up to `most` of these. Who has not said anything goes before who has begun, and both
// before who has been served; among those of one kind the addresses that have most of them, to the
// next power of two, and then who has waited longest. Nobody goes whose bytes have arrived, who is
// new (20 ms silent, 1 s with half a request) or who was answered in the last 100 ms; nobody whose
// address has fewer of its kind than one whose connections are that new; and nobody who has been
// served while those who have not are half of all: a crowd that is always new takes no more than
// that.
Shed shed_waiting(const std::vector<Waiter*>& waiters, std::size_t most, base::TimePoint now,
                  const char* why);

}  // namespace weir::listener
