#pragma once

#include <cstdint>
#include <vector>

namespace weir::exchange {

class Exchange;

// What a filter waits for (an offload job, a sub-request). Owned by the exchange; destroying it
// cancels.
class Wait {
 public:
  virtual ~Wait() = default;
};

// Names one wait of one exchange. Plain data: may travel to any thread and come back in a task. A
// ticket whose wait is over names nothing: its generation is gone.
struct WaitTicket {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;  // 0: none
};

// The waits of one worker. Whoever ends one comes by the worker's mailbox (or is on its thread) and
// asks here whether the exchange still waits.
class WaitTable {
 public:
  WaitTicket open(Exchange& exchange);
  void close(WaitTicket ticket);  // stale tickets are ignored
  // The exchange that waits with this ticket, or null.
  Exchange* find(WaitTicket ticket) const;
  std::size_t waiting() const { return slots_.size() - free_.size(); }

 private:
  struct Slot {
    Exchange* exchange = nullptr;
    std::uint32_t generation = 1;
  };
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
};

}  // namespace weir::exchange
