#include "tests/perf/costs.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
}

namespace {

enum Call {
  kRead,
  kWrite,
  kReadv,
  kWritev,
  kRecv,
  kSend,
  kRecvmsg,
  kSendmsg,
  kEpollWait,
  kEpollCtl,
  kSockopt,
  kClose,
  kShutdown,
  kCalls
};
constexpr std::array<const char*, kCalls> kNames = {
    "read",    "write",      "readv",     "writev",  "recvfrom", "sendto",  "recvmsg",
    "sendmsg", "epoll_wait", "epoll_ctl", "sockopt", "close",    "shutdown"};

thread_local bool counting = false;
thread_local weir::perf::Costs counted;
thread_local std::array<std::uint64_t, kCalls> named{};

template <typename... Args>
long pass(Call call, long number, Args... args) {
  if (counting) {
    ++counted.calls;
    ++named[call];
  }
  return syscall(number, args...);
}
void allocation() {
  if (counting) ++counted.allocations;
}

}  // namespace

// The signatures are the C library's.
extern "C" {
ssize_t read(int fd, void* to, std::size_t size) { return pass(kRead, SYS_read, fd, to, size); }
ssize_t __read_chk(int fd, void* to, std::size_t size, std::size_t) {
  return pass(kRead, SYS_read, fd, to, size);
}
ssize_t write(int fd, const void* from, std::size_t size) {
  return pass(kWrite, SYS_write, fd, from, size);
}
ssize_t readv(int fd, const iovec* parts, int count) {
  return pass(kReadv, SYS_readv, fd, parts, count);
}
ssize_t writev(int fd, const iovec* parts, int count) {
  return pass(kWritev, SYS_writev, fd, parts, count);
}
ssize_t recv(int fd, void* to, std::size_t size, int flags) {
  return pass(kRecv, SYS_recvfrom, fd, to, size, flags, nullptr, nullptr);
}
ssize_t __recv_chk(int fd, void* to, std::size_t size, std::size_t, int flags) {
  return pass(kRecv, SYS_recvfrom, fd, to, size, flags, nullptr, nullptr);
}
ssize_t send(int fd, const void* from, std::size_t size, int flags) {
  return pass(kSend, SYS_sendto, fd, from, size, flags, nullptr, 0);
}
ssize_t recvmsg(int fd, msghdr* message, int flags) {
  return pass(kRecvmsg, SYS_recvmsg, fd, message, flags);
}
ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  return pass(kSendmsg, SYS_sendmsg, fd, message, flags);
}
int epoll_wait(int fd, epoll_event* events, int most, int millis) {
  return static_cast<int>(pass(kEpollWait, SYS_epoll_wait, fd, events, most, millis));
}
int epoll_ctl(int epoll, int what, int fd, epoll_event* event) noexcept {
  return static_cast<int>(pass(kEpollCtl, SYS_epoll_ctl, epoll, what, fd, event));
}
int getsockopt(int fd, int level, int name, void* value, socklen_t* size) noexcept {
  return static_cast<int>(pass(kSockopt, SYS_getsockopt, fd, level, name, value, size));
}
int setsockopt(int fd, int level, int name, const void* value, socklen_t size) noexcept {
  return static_cast<int>(pass(kSockopt, SYS_setsockopt, fd, level, name, value, size));
}
int close(int fd) { return static_cast<int>(pass(kClose, SYS_close, fd)); }
int shutdown(int fd, int how) noexcept {
  return static_cast<int>(pass(kShutdown, SYS_shutdown, fd, how));
}

void* malloc(std::size_t size) {
  allocation();
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  allocation();
  return __libc_calloc(count, size);
}
void* realloc(void* old, std::size_t size) {
  allocation();
  return __libc_realloc(old, size);
}
}

namespace weir::perf {

Costs& costs() { return counted; }

std::string calls_by_name() {
  std::string out;
  for (std::size_t i = 0; i < named.size(); ++i) {
    if (named[i] == 0) continue;
    out += (out.empty() ? "" : ", ") + std::string(kNames[i]) + " " + std::to_string(named[i]);
  }
  return out;
}

void forget_costs() {
  counted = {};
  named = {};
}

Counting::Counting() { counting = true; }
Counting::~Counting() { counting = false; }

}  // namespace weir::perf
