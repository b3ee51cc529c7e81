#include "dataplane/upstream/connection.h"

#include "dataplane/upstream/pool.h"

namespace weir::upstream {
namespace {

base::Error closed(std::string text) {
  return {base::ErrorKind::kClosed, base::Origin::kUpstream, false, std::move(text)};
}

}  // namespace

Connection::Connection(Pool& pool, const Parts& parts, base::Duration connect_timeout)
    : pool_(pool),
      idle_timer_(parts.worker.loop().timers(), *this),
      transport_(parts.connect(parts, pool.endpoint().address, connect_timeout, pool.tls())),
      session_(parts.make_session(pool.protocol(), parts.context, *this, *this)) {
  transport_->set_target(*this);
}

Connection::~Connection() = default;

void Connection::abandon() {
  waiter_ = nullptr;
  if (state_ == State::kConnecting) close(closed("connection no longer wanted"));
}

codec::MessageStream& Connection::open_stream(codec::MessageTarget& target) {
  leave();
  codec::MessageStream& stream = session_->open(target);
  if (session_->can_open()) offer();
  return stream;
}

void Connection::close(const base::Error& why) {
  if (state_ == State::kClosed) return;
  // Closed and withdrawn first: a stream that is reset may look for another connection at once.
  leave();
  state_ = State::kClosed;
  if (session_ != nullptr && session_->open_streams() > 0) session_->on_lost(why);
  pool_.forget(*this);
}

void Connection::on_open() {
  if (state_ != State::kConnecting) return;
  state_ = State::kOpen;
  if (ConnectWaiter* waiter = std::exchange(waiter_, nullptr)) waiter->on_connected();
}

void Connection::on_bytes(std::string_view bytes) {
  if (state_ == State::kOpen) session_->on_bytes(bytes);
}

void Connection::on_read_closed() {
  if (state_ != State::kOpen) return;
  session_->on_read_closed();
  if (idle()) close(closed("closed by the endpoint"));
}

void Connection::on_drained() {
  if (state_ == State::kOpen) session_->on_drained();
}

void Connection::on_closed(const base::Error& error) {
  ConnectWaiter* waiter = std::exchange(waiter_, nullptr);
  const bool connecting = state_ == State::kConnecting;
  close(error);
  if (connecting && waiter != nullptr) waiter->on_connect_failed(error);
}

void Connection::on_stream_over() {
  if (state_ == State::kOpen && session_->can_open()) offer();
}

void Connection::on_session_end() {
  if (state_ == State::kClosed) return;
  transport_->close_when_flushed(transport::Farewell::kLinger);
  close(closed("session ended"));
}

void Connection::on_timer() {
  if (idle()) close(closed("idle for too long"));
}

void Connection::offer() {
  if (offered_) leave();
  idle_since_ = pool_.worker().loop().now();
  pool_.offer(*this);
}

void Connection::leave() {
  idle_timer_.cancel();
  if (offered_) pool_.withdraw(*this);
}

}  // namespace weir::upstream
