#include "dataplane/exchange/wait.h"

namespace weir::exchange {

WaitTicket WaitTable::open(Exchange& exchange) {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  slots_[slot].exchange = &exchange;
  return {slot, slots_[slot].generation};
}

void WaitTable::close(WaitTicket ticket) {
  if (find(ticket) == nullptr) return;
  Slot& slot = slots_[ticket.slot];
  slot.exchange = nullptr;
  if (++slot.generation == 0) slot.generation = 1;
  free_.push_back(ticket.slot);
}

Exchange* WaitTable::find(WaitTicket ticket) const {
  if (ticket.slot >= slots_.size()) return nullptr;
  const Slot& slot = slots_[ticket.slot];
  return slot.generation == ticket.generation ? slot.exchange : nullptr;
}

}  // namespace weir::exchange
