#pragma once

#include <cstddef>
#include <deque>

#include "common/loop/loop.h"

namespace weir::transport {

// Whose ClientHello is answered when: a handshake burns hundreds of microseconds, so a few begin in
// an iteration of the loop, and live traffic does not wait for a crowd of newcomers. Who has to
// wait stands in line and is called; it drops its interest in input meanwhile, for a
// level-triggered loop reports every waiting socket again and again, which costs a crowd more than
// the line does. One thread.
class HandshakeTurns final : public loop::Flushable {
 public:
  static constexpr int kPerIteration = 5;

  class Waiter {
   public:
    virtual ~Waiter() = default;
    virtual void on_turn() = 0;  // in the order of take(); may take no further turn here
  };

  explicit HandshakeTurns(loop::Loop& loop) : loop_(loop) {}
  HandshakeTurns(const HandshakeTurns&) = delete;
  HandshakeTurns& operator=(const HandshakeTurns&) = delete;
  ~HandshakeTurns() override { loop_.flush_cancel(*this); }

  // True: it is the waiter's turn. False: it stands in line until on_turn() or leave().
  bool take(Waiter& waiter);
  // For who ends while it stands in line; not being there is fine.
  void leave(Waiter& waiter);

  // How many handshakes may yet begin in this iteration.
  int left() const;
  std::size_t waiting() const { return line_.size(); }

  void flush() override;  // the end of an iteration: calls the next ones

 private:
  loop::Loop& loop_;
  std::deque<Waiter*> line_;
  std::uint64_t iteration_ = 0;  // that left_ counts for
  int left_ = kPerIteration;
};

}  // namespace weir::transport
