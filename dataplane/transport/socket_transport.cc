#include "dataplane/transport/socket_transport.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include "common/base/check.h"
#include "dataplane/transport/linger.h"

namespace weir::transport {
namespace {

constexpr std::uint32_t kInput = EPOLLIN | EPOLLRDHUP;

int socket_error(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

}  // namespace

SocketTransport::~SocketTransport() { close_socket(); }

void SocketTransport::close_socket() {
  state_ = State::kClosed;
  worker_.loop().flush_cancel(*this);
  worker_.loop().release(std::exchange(token_, {}));
  fd_.reset();
  out_.clear();
}

void SocketTransport::watch(base::UniqueFd fd, State state) {
  fd_ = std::move(fd);
  state_ = state;
  token_ = worker_.loop().add(fd_.get(), *this, state == State::kConnecting ? EPOLLOUT : kInput);
}

void SocketTransport::schedule(bool borrowed) {
  if (borrowed) {
    worker_.loop().flush_soon(*this);
  } else {
    worker_.loop().flush_later(*this);
  }
}

const base::SocketAddress& SocketTransport::local() const {
  if (local_ != nullptr) return *local_;
  local_ = std::make_unique<base::SocketAddress>();
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  if (fd_.valid() && getsockname(fd_.get(), address, &size) == 0) {
    *local_ = base::SocketAddress(address);
  }
  return *local_;
}

std::size_t SocketTransport::in_kernel() const { return untaken_bytes(fd_.get()); }

bool SocketTransport::has_unread() const { return has_unread_bytes(fd_.get()); }

base::Error SocketTransport::broken(std::string_view verb, int errno_value) const {
  base::Error error = base::system_error(std::string(verb) + " " + peer_.to_string(), errno_value);
  error.kind = errno_value == ETIMEDOUT ? base::ErrorKind::kTimeout : base::ErrorKind::kClosed;
  error.origin = origin_;
  return error;
}

void SocketTransport::fail(base::Error error) {
  close_socket();
  if (target_ != nullptr) target_->on_closed(error);
}

void SocketTransport::update_interest() {
  worker_.loop().modify(token_, (input_armed_ ? kInput : 0U) | (write_blocked_ ? EPOLLOUT : 0U));
}

void SocketTransport::stop_reading() {
  paused_ = true;
  input_armed_ = false;
  update_interest();
}

void SocketTransport::resume_reading() {
  paused_ = false;
  if (input_armed_ || read_closed_ || state_ != State::kOpen) return;
  input_armed_ = true;
  if (token_.valid()) {
    update_interest();
  } else {
    token_ = worker_.loop().add(fd_.get(), *this, kInput | (write_blocked_ ? EPOLLOUT : 0U));
  }
}

void SocketTransport::connected() {
  state_ = State::kOpen;
  update_interest();
  on_connected();
}

void SocketTransport::on_connecting_event(std::uint32_t) { WEIR_CHECK(false); }

void SocketTransport::on_io(std::uint32_t events) {
  if (state_ == State::kConnecting) {
    on_connecting_event(events);
  } else if (state_ == State::kOpening) {
    flush();  // the input is reported again in the next iteration
  } else if ((events & EPOLLOUT) != 0 && write_blocked_) {
    write_blocked_ = false;
    pump();
  } else {
    receive(events);
  }
}

void SocketTransport::receive(std::uint32_t events) {
  if (paused_ || read_closed_) return quiet_event(events);
  if (!may_receive()) return;
  const std::span<char> buffer = receive_buffer();
  const ssize_t got = recv(fd_.get(), buffer.data(), buffer.size(), 0);
  if (got > 0) {
    read_ += static_cast<std::uint64_t>(got);
    on_received({buffer.data(), static_cast<std::size_t>(got)});
  } else if (got == 0) {
    read_closed_ = true;
    if (write_error_ != 0) return fail(broken("write to", write_error_));
    on_eof();
  } else if (errno != EAGAIN && errno != EINTR) {
    fail(broken("read from", errno));
  }
}

// An event while nobody wants input: drops the interest, so that the level-triggered loop does not
// spin.
void SocketTransport::quiet_event(std::uint32_t events) {
  if ((events & EPOLLERR) != 0) return fail(broken("read from", socket_error(fd_.get())));
  input_armed_ = false;
  if ((events & EPOLLHUP) != 0) {
    // EPOLLHUP cannot be masked; resume_reading registers anew.
    worker_.loop().remove(std::exchange(token_, {}));
  } else {
    update_interest();
  }
}

bool SocketTransport::write_failed(int errno_value) {
  out_.clear();
  if (paused_ || read_closed_) {
    fail(broken("write to", errno_value));
    return false;
  }
  // An upstream may have answered before it closed: read that first; the end of input then tells.
  write_error_ = errno_value;
  return true;
}

bool SocketTransport::send_queued() {
  std::array<iovec, 64> parts;
  while (!out_.empty() && !write_blocked_) {
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = out_.gather(parts);
    std::size_t offered = 0;
    for (std::size_t i = 0; i < message.msg_iovlen; ++i) offered += parts[i].iov_len;
    const ssize_t sent = sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno != EAGAIN) return write_failed(errno);
    const auto taken = static_cast<std::size_t>(sent < 0 ? 0 : sent);
    written_ += taken;
    out_.consume(taken);
    write_blocked_ = taken < offered;  // a short write means that the kernel's buffer is full
  }
  return true;
}

bool SocketTransport::pump() {
  do {
    if (!send_queued()) return false;
  } while (!write_blocked_ && write_error_ == 0 && refill(finishing_));
  if (write_blocked_) keep_borrowed();
  update_interest();
  if (finishing_ && !finished_ && queued() == 0) {
    finished_ = true;
    shutdown(fd_.get(), SHUT_WR);
  }
  if (!over_high_ || queued() >= kQueueLow) return true;
  over_high_ = false;
  if (target_ != nullptr) target_->on_drained();
  return false;
}

void SocketTransport::flush() {
  if (state_ == State::kOpening) {
    keep_borrowed();
    if (!out_.empty()) worker_.loop().flush_later(*this);
    connected();
  } else if (state_ == State::kConnecting || write_blocked_) {
    keep_borrowed();
  } else if (state_ == State::kOpen) {
    pump();
  }
}

void SocketTransport::finish_writing() {
  if (closed() || finishing_) return;
  finishing_ = true;
  schedule(false);
}

void SocketTransport::close_when_flushed(Farewell farewell) {
  target_ = nullptr;
  if (state_ != State::kOpen || write_error_ != 0) return close_socket();
  // All that is still to be encoded goes into the queue, which outlives this object.
  OutQueue all = out_.take();
  while (refill(true)) {
    out_.keep(worker_.buffers());
    OutQueue more = out_.take();
    while (!more.empty()) {
      all.push(more.front());
      more.consume(more.front().size());
    }
  }
  worker_.loop().flush_cancel(*this);
  Lingering rest{std::move(fd_), std::exchange(token_, {}), std::move(all),
                 read_closed_ || farewell == Farewell::kAtOnce};
  close_socket();
  linger(worker_, std::move(rest));
}

}  // namespace weir::transport
