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
      connect_timeout_(connect_timeout),
      idle_timer_(parts.worker.loop().timers(), *this),
      transport_(parts.connect(parts, pool.endpoint().address, connect_timeout, pool.tls())),
      session_(parts.make_session(pool.wish(), parts.context, *this, *this)) {
  transport_->set_target(*this);
}

Connection::~Connection() = default;

void Connection::abandon(ConnectWaiter& waiter) {
  std::erase(waiters_, &waiter);
  const bool is_wanted = state_ != State::kConnecting || !waiters_.empty();
  if (!is_wanted) close(closed("connection no longer wanted"));
}

bool Connection::is_starting() const {
  if (state_ == State::kConnecting) return true;
  return state_ == State::kOpen && !session_->settled();
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
  const transport::TlsFacts* tls = transport_->tls();
  const bool needs_h2 = pool_.protocol() == model::UpstreamProtocol::kHttp2;
  if (tls != nullptr && needs_h2 && tls->alpn != "h2") {
    return end({base::ErrorKind::kProtocol, base::Origin::kUpstream, true,
                "the endpoint does not speak HTTP/2: it chose \"" + std::string(tls->alpn) +
                    "\" by ALPN"});
  }
  state_ = State::kOpen;
  if (!session_->settled()) idle_timer_.arm(pool_.worker().loop().now() + connect_timeout_);
  serve();
}

void Connection::serve() {
  const auto next = [this] {
    ConnectWaiter* first = waiters_.front();
    waiters_.erase(waiters_.begin());
    return first;
  };
  while (!waiters_.empty() && has_room()) next()->on_connected();
  if (state_ != State::kOpen || !session_->settled()) return;
  while (!waiters_.empty()) pool_.find_other(*next(), connect_timeout_);
}

void Connection::end(const base::Error& why) {
  close(why);
  while (!waiters_.empty()) {
    ConnectWaiter* first = waiters_.front();
    waiters_.erase(waiters_.begin());
    first->on_connect_failed(why);
  }
}

void Connection::on_bytes(std::string_view bytes) {
  if (state_ == State::kOpen) session_->on_bytes(bytes);
}

void Connection::on_read_closed() {
  if (state_ != State::kOpen) return;
  session_->on_read_closed();
  if (state_ == State::kOpen && session_->open_streams() == 0) {
    end(closed("closed by the endpoint"));
  }
}

void Connection::on_drained() {
  if (state_ == State::kOpen) session_->on_drained();
}

void Connection::on_closed(const base::Error& error) { end(error); }

void Connection::on_stream_over() {
  if (state_ != State::kOpen) return;
  if (session_->settled()) pool_.learn(session_->most_streams());
  serve();
  if (state_ != State::kOpen) return;
  leave();
  if (session_->can_open()) offer();
}

void Connection::on_session_end() {
  if (state_ == State::kClosed) return;
  transport_->close_when_flushed(transport::Farewell::kLinger);
  end(closed("session ended"));
}

void Connection::on_timer() {
  if (idle()) return close(closed("idle for too long"));
  if (state_ != State::kOpen || session_->settled()) return;
  end({base::ErrorKind::kTimeout, base::Origin::kUpstream, false,
       "the endpoint did not begin to speak HTTP/2 in time"});
}

void Connection::offer() {
  if (offered_) leave();
  idle_since_ = pool_.worker().loop().now();
  pool_.offer(*this);
}

void Connection::leave() {
  if (session_ == nullptr || session_->settled()) idle_timer_.cancel();
  if (offered_) pool_.withdraw(*this);
}

}  // namespace weir::upstream
