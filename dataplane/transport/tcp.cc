#include <sys/epoll.h>

#include <cerrno>
#include <utility>

#include "dataplane/transport/dial.h"
#include "dataplane/transport/factory.h"
#include "dataplane/transport/socket_transport.h"

namespace weir::transport {
namespace {

class TcpTransport : public SocketTransport {
 public:
  TcpTransport(worker::Worker& worker, const base::SocketAddress& peer, base::Origin origin)
      : SocketTransport(worker, peer, origin) {}

  void accept(base::UniqueFd fd) {
    watch(std::move(fd), State::kOpening);
    schedule(false);
  }

  void write(worker::Slice bytes) final {
    if (closed() || write_error_ != 0 || finishing_ || bytes.empty()) return;
    const bool borrowed = bytes.is_borrowed();
    out_.push(std::move(bytes));
    if (out_.bytes() > kQueueHigh) over_high_ = true;
    schedule(borrowed);
  }
  std::size_t queued() const final { return out_.bytes(); }
  const TlsFacts* tls() const final { return nullptr; }

 protected:
  std::span<char> receive_buffer() final { return worker_.receive_room(); }
  void on_connected() override { target_->on_open(); }
  void on_received(std::string_view bytes) final { target_->on_bytes(bytes); }
  void on_eof() final { target_->on_read_closed(); }
  bool refill(bool) final { return false; }
};

// A connection to an upstream, with what it needs only while it connects.
class ConnectingTransport final : public TcpTransport, public loop::TimerTarget {
 public:
  ConnectingTransport(worker::Worker& worker, const base::SocketAddress& to, base::Duration timeout)
      : TcpTransport(worker, to, base::Origin::kUpstream), timeout_(timeout) {
    const int error = begin();
    if (error == 0) return;
    refused_ = error;
    state_ = State::kConnecting;
    timer_ = std::make_unique<loop::Timer>(worker_.loop().timers(), *this);
    timer_->arm(worker_.loop().now());
  }

  void on_timer() override {
    if (refused_ != 0) return fail(failure(refused_));
    const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(timeout_).count();
    base::Error error = failure(ETIMEDOUT);
    error.text =
        "connect " + peer_.to_string() + ": timed out after " + std::to_string(millis) + " ms";
    fail(std::move(error));
  }

 private:
  // Starts the connection; returns errno when the kernel refuses at once.
  int begin() {
    Dialed dialed = dial(peer_);
    if (!dialed.fd.valid()) return dialed.error;
    if (dialed.error == 0) {
      watch(std::move(dialed.fd), State::kOpening);
      schedule(false);
      return 0;
    }
    watch(std::move(dialed.fd), State::kConnecting);
    timer_ = std::make_unique<loop::Timer>(worker_.loop().timers(), *this);
    timer_->arm(worker_.loop().now() + timeout_);
    return 0;
  }

  void on_connecting_event(std::uint32_t events) override {
    if (const int error = dial_error(fd_.get(), events); error != 0) return fail(failure(error));
    if ((events & EPOLLOUT) == 0) return;
    // What was written meanwhile leaves right after this handler.
    if (!out_.empty()) worker_.loop().flush_soon(*this);
    connected();
  }

  void on_connected() override {
    timer_.reset();
    TcpTransport::on_connected();
  }

  base::Error failure(int errno_value) const {
    base::Error error = broken("connect", errno_value);
    error.retryable = true;
    return error;
  }

  const base::Duration timeout_;
  std::unique_ptr<loop::Timer> timer_;  // until connected
  int refused_ = 0;                     // errno of a connect that failed at once
};

}  // namespace

std::unique_ptr<Transport> accept_tcp(worker::Worker& worker, base::UniqueFd fd,
                                      const base::SocketAddress& peer) {
  auto transport = std::make_unique<TcpTransport>(worker, peer, base::Origin::kClient);
  transport->accept(std::move(fd));
  return transport;
}

std::unique_ptr<Transport> connect_tcp(worker::Worker& worker, const base::SocketAddress& to,
                                       base::Duration connect_timeout) {
  return std::make_unique<ConnectingTransport>(worker, to, connect_timeout);
}

}  // namespace weir::transport
