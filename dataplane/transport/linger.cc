#include "dataplane/transport/linger.h"

#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <memory>
#include <utility>

namespace weir::transport {
namespace {

constexpr auto kLinger = std::chrono::seconds(2);
constexpr auto kPatience = std::chrono::seconds(30);
constexpr std::size_t kLeastTaken = 8 * 1024;  // in that time

enum class Sent : std::uint8_t { kAll, kBlocked, kFailed };

// MSG_MORE holds the last segment back, so that the FIN which follows at once travels in it.
Sent send_rest(Lingering& rest) {
  std::array<iovec, 64> parts;
  while (!rest.out.empty()) {
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = rest.out.gather(parts);
    const ssize_t sent = sendmsg(rest.fd.get(), &message, MSG_NOSIGNAL | MSG_MORE);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return errno == EAGAIN ? Sent::kBlocked : Sent::kFailed;
    rest.out.consume(static_cast<std::size_t>(sent));
  }
  return Sent::kAll;
}

class LingeringSocket final : public worker::Buried,
                              public loop::IoHandler,
                              public loop::Flushable,
                              public loop::TimerTarget {
 public:
  LingeringSocket(worker::Worker& worker, Lingering rest)
      : worker_(worker), rest_(std::move(rest)), timer_(worker.loop().timers(), *this) {
    if (rest_.token.valid()) {
      worker_.loop().rebind(rest_.token, *this);
    } else {
      rest_.token = worker_.loop().add(rest_.fd.get(), *this, 0);
    }
    left_ = rest_.out.bytes() + untaken_bytes(rest_.fd.get());
    timer_.arm(worker_.loop().now() + kPatience);
    if (rest_.out.has_borrowed()) {
      worker_.loop().flush_soon(*this);
    } else {
      worker_.loop().flush_later(*this);
    }
  }
  ~LingeringSocket() override { stop(); }

  void on_io(std::uint32_t events) override {
    if ((events & EPOLLOUT) != 0) return flush();
    discard(events);
  }

  void flush() override {
    const Sent sent = send_rest(rest_);
    if (sent == Sent::kBlocked) return wait_writable();
    if (sent == Sent::kFailed || rest_.peer_done) return end();
    shutdown(rest_.fd.get(), SHUT_WR);
    flushed_ = true;
    timer_.cancel();
    timer_.arm(worker_.loop().now() + kLinger);
    worker_.loop().modify(rest_.token, EPOLLIN | EPOLLRDHUP);
  }

  void on_timer() override {
    const std::size_t left = rest_.out.bytes() + untaken_bytes(rest_.fd.get());
    if (flushed_ || left + kLeastTaken > left_) return end();
    left_ = left;
    timer_.arm(worker_.loop().now() + kPatience);
  }

 private:
  void wait_writable() {
    rest_.out.keep(worker_.buffers());
    worker_.loop().modify(rest_.token, EPOLLOUT | (rest_.peer_done ? 0U : EPOLLIN | EPOLLRDHUP));
  }

  void discard(std::uint32_t events) {
    const std::span<char> scratch = worker_.scratch();
    // MSG_TRUNC: the kernel drops the bytes without copying them.
    const ssize_t got =
        recv(rest_.fd.get(), scratch.data(), scratch.size(), MSG_TRUNC | MSG_DONTWAIT);
    if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR))) {
      if ((events & EPOLLERR) != 0 && got < 0) end();
      return;
    }
    if (got < 0 || flushed_) return end();
    rest_.peer_done = true;
    if ((events & EPOLLHUP) != 0) return end();
    worker_.loop().modify(rest_.token, rest_.out.empty() ? 0U : EPOLLOUT);
  }

  void end() {
    stop();
    worker_.bury(*this);
  }
  void stop() {
    timer_.cancel();
    worker_.loop().flush_cancel(*this);
    worker_.loop().release(std::exchange(rest_.token, {}));
    rest_.fd.reset();
  }

  worker::Worker& worker_;
  Lingering rest_;
  loop::Timer timer_;
  std::size_t left_ = 0;  // when the timer was set
  bool flushed_ = false;
};

}  // namespace

std::size_t untaken_bytes(int fd) {
  int bytes = 0;
  return fd >= 0 && ioctl(fd, SIOCOUTQ, &bytes) == 0 && bytes > 0 ? static_cast<std::size_t>(bytes)
                                                                  : 0;
}

bool has_unread_bytes(int fd) {
  char byte = 0;
  return fd >= 0 && recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

void linger(worker::Worker& worker, Lingering rest) {
  if (rest.peer_done && send_rest(rest) != Sent::kBlocked) {
    worker.loop().release(rest.token);
    return rest.fd.reset();
  }
  worker.adopt(std::make_unique<LingeringSocket>(worker, std::move(rest)));
}

}  // namespace weir::transport
