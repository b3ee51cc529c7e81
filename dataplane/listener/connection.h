#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "common/loop/timer_wheel.h"
#include "dataplane/exchange/service.h"
#include "dataplane/listener/gate.h"
#include "dataplane/listener/shed.h"
#include "dataplane/listener/warm_sessions.h"
#include "dataplane/shared/connection_caps.h"
#include "dataplane/transport/transport.h"

namespace weir::listener {

class Connection;

// What the connections of one worker share.
struct ConnectionHome {
  exchange::ExchangeContext& context;
  shared::ConnectionCaps& caps;
  codec::Limits limits;  // of the live snapshot, copied at accept: sessions refer to it
  bool draining = false;
  Connection* first = nullptr;  // all connections, oldest first
  Connection* last = nullptr;
  std::size_t count = 0;
  WarmSessions warm{};
};

// A client's connection from accept to its end: a transport below, a codec session and its
// exchanges above, and one timer. Owns itself: it ends with its transport or its session, and is
// buried once its last exchange is over. One thread.
//
// Invariant: the timer is armed unless an exchange is open (whose own deadlines hold then) or a TLS
// handshake runs (whose deadline the transport keeps).
class Connection final : public worker::Buried,
                         public transport::TransportTarget,
                         public codec::ByteStream,
                         public codec::ServerTarget,
                         public exchange::ExchangeOwner,
                         public loop::TimerTarget,
                         public Waiter {
 public:
  // Counted in caps by the caller. home: borrowed; gate, served: shared.
  static void start(ConnectionHome& home, std::shared_ptr<Gate> gate,
                    std::shared_ptr<const Served> served,
                    std::unique_ptr<transport::Transport> transport);
  ~Connection() override;

  Connection* next() const { return next_; }
  bool idle() const;  // between two requests
  // For the drain. One that has sent nothing yet gets two seconds, one that was in use a moment ago
  // half a second for its next request, a busy one ends behind its exchanges.
  void close_if_idle();
  std::optional<Wait> wait() const override;
  bool has_unread() const override { return transport_->has_unread(); }
  void shed(const char* why) override { close(why, transport::Farewell::kAtOnce); }
  // Now, with its exchanges.
  void close(const char* why, transport::Farewell farewell = transport::Farewell::kLinger);

  void on_open() override;
  void on_bytes(std::string_view bytes) override;
  void on_read_closed() override;
  void on_drained() override;
  void on_closed(const base::Error& error) override;

  void write(worker::Slice bytes) override { transport_->write(std::move(bytes)); }
  void drop_output() override { transport_->drop_output(); }
  void pause_reading() override { transport_->pause_reading(); }
  void resume_reading() override { transport_->resume_reading(); }
  std::size_t queued() const override { return transport_->queued(); }

  codec::MessageTarget& on_request(codec::MessageStream& stream) override;
  void on_bad_request(codec::MessageStream& stream, int status, const base::Error& error,
                      const codec::Head* head) override;
  void on_session_end() override;
  void on_exchange_done() override;
  void on_timer() override;

 private:
  using State = observe::Recorder::ConnectionState;

  Connection(ConnectionHome& home, std::shared_ptr<Gate> gate, std::shared_ptr<const Served> served,
             std::unique_ptr<transport::Transport> transport);
  void link();
  void unlink();
  void follow_phase();
  void rest();
  void park();
  void wake();
  void start_http1();
  void start_http2();
  bool recognise(std::string_view& bytes);
  void move_to(State state);
  void lose(const base::Error& error);
  void finish();

  worker::Worker& worker_;
  ConnectionHome& home_;  // not in the destructor: a buried connection may outlast it
  std::shared_ptr<Gate> gate_;
  std::shared_ptr<const Served> served_;
  std::unique_ptr<transport::Transport> transport_;
  std::unique_ptr<codec::ServerSession> session_;  // null until on_open, and while parked
  exchange::ClientFacts client_;
  loop::Timer timer_;
  base::TimePoint answered_;  // since when it is idle; accepted, before the first answer
  Connection* next_ = nullptr;
  Connection* previous_ = nullptr;
  std::uint32_t requests_ = 0;
  std::uint32_t exchanges_ = 0;                  // open ones
  std::uint16_t warm_ = WarmSessions::kNowhere;  // its place there
  State state_ = State::kWaiting;
  codec::SessionPhase phase_ = codec::SessionPhase::kIdle;  // when the timer was set
  bool finished_ = false;
  bool opening_ = false;  // HTTP/1 or 2 is not known yet: fewer bytes came than the preface has
  std::unique_ptr<std::string> opened_with_;  // these bytes; mostly null
  bool parked_ = false;  // idle, its session given up: the next byte brings a new one
};

}  // namespace weir::listener
