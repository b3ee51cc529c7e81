#pragma once

#include <memory>
#include <vector>

#include "common/loop/timer_wheel.h"
#include "dataplane/codec/codec.h"
#include "dataplane/transport/transport.h"
#include "dataplane/worker/worker.h"

namespace weir::upstream {

class Pool;
class Connection;
struct Parts;

// Told when the connection it waits for has room for it, or never will have. Nothing is called
// afterwards.
class ConnectWaiter {
 public:
  virtual ~ConnectWaiter() = default;
  virtual void on_connected() = 0;
  virtual void on_connect_failed(const base::Error& error) = 0;
  virtual void on_connect_refused() = 0;  // it would need one more, and the cluster has its number
  virtual void wait_for(Connection& connecting) = 0;  // from now on for this one
};

// One connection to an endpoint: a transport below, a client session above. Carries as many
// exchanges at once as the session has room for. Owned by its Pool; buries itself when it ends.
//
// Several may wait for an HTTP/2 connection. The first goes with the first bytes; the others once
// the endpoint has said how many streams it allows, and those that are too many go to another
// connection.
//
// Invariants: (1) it is on offer in the pool exactly while the session has room and it is open;
// (2) after closing no event reaches the session.
class Connection final : public worker::Buried,
                         transport::TransportTarget,
                         codec::ByteStream,
                         codec::ClientTarget,
                         loop::TimerTarget {
 public:
  // Starts to connect. Both borrowed for the connection's life.
  Connection(Pool& pool, const Parts& parts, base::Duration connect_timeout);
  ~Connection() override;

  bool has_session() const { return session_ != nullptr; }  // false: protocol without a codec
  void add_waiter(ConnectWaiter& waiter) { waiters_.push_back(&waiter); }
  std::size_t waiters() const { return waiters_.size(); }
  // The waiter has gone. Without another nobody wants the connection any more.
  void abandon(ConnectWaiter& waiter);
  // Its endpoint has not said yet how many streams it takes: further requests may wait for it.
  bool is_starting() const;
  bool has_room() const { return state_ == State::kOpen && session_->can_open(); }
  // Precondition: open, and on offer or just connected.
  codec::MessageStream& open_stream(codec::MessageTarget& target);

  // Ends it now; streams that are open are reset.
  void close(const base::Error& why);
  bool idle() const {
    return state_ == State::kOpen && waiters_.empty() && session_->open_streams() == 0;
  }
  base::TimePoint idle_since() const { return idle_since_; }

 private:
  friend class Pool;
  enum class State : std::uint8_t { kConnecting, kOpen, kClosed };

  void on_open() override;
  void on_bytes(std::string_view bytes) override;
  void on_read_closed() override;
  void on_drained() override;
  void on_closed(const base::Error& error) override;

  void write(worker::Slice bytes) override { transport_->write(std::move(bytes)); }
  void pause_reading() override { transport_->pause_reading(); }
  void resume_reading() override { transport_->resume_reading(); }
  std::size_t queued() const override { return transport_->queued(); }

  void on_stream_over() override;
  void on_session_end() override;
  void on_timer() override;  // idle for too long, or no word of HTTP/2 in time

  void offer();
  void leave();
  void serve();
  void end(const base::Error& why);  // closes, and tells those who wait

  Pool& pool_;
  State state_ = State::kConnecting;
  bool offered_ = false;
  bool idle_counted_ = false;  // among the pool's idle ones
  std::vector<ConnectWaiter*> waiters_;
  base::Duration connect_timeout_;
  std::size_t slot_ = 0;         // index in the pool's list of all connections
  Connection* newer_ = nullptr;  // neighbours among those on offer
  Connection* older_ = nullptr;
  base::TimePoint idle_since_{};
  loop::Timer idle_timer_;
  std::unique_ptr<transport::Transport> transport_;
  std::unique_ptr<codec::ClientSession> session_;
};

}  // namespace weir::upstream
