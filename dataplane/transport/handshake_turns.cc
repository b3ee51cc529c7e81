#include "dataplane/transport/handshake_turns.h"

#include <algorithm>

namespace weir::transport {

int HandshakeTurns::left() const {
  if (!line_.empty()) return 0;
  return iteration_ == loop_.figures().iterations.load(std::memory_order_relaxed) ? left_
                                                                                  : kPerIteration;
}

bool HandshakeTurns::take(Waiter& waiter) {
  const int left = this->left();
  if (left > 0) {
    iteration_ = loop_.figures().iterations.load(std::memory_order_relaxed);
    left_ = left - 1;
    return true;
  }
  line_.push_back(&waiter);
  loop_.flush_later(*this);
  return false;
}

void HandshakeTurns::leave(Waiter& waiter) { std::erase(line_, &waiter); }

// Called are those that begin in the next iteration: their input is reported there. The loop runs
// what queues itself again a bounded number of times an iteration; the first of them calls.
void HandshakeTurns::flush() {
  const std::uint64_t next = loop_.figures().iterations.load(std::memory_order_relaxed) + 1;
  if (iteration_ != next) {
    iteration_ = next;
    left_ = kPerIteration;
    for (; left_ > 0 && !line_.empty(); --left_) {
      Waiter* const first = line_.front();
      line_.pop_front();
      first->on_turn();
    }
  }
  if (!line_.empty()) loop_.flush_later(*this);
}

}  // namespace weir::transport
