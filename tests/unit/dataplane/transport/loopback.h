#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <string>
#include <vector>

#include "dataplane/transport/factory.h"

namespace weir::transport {

// Real loopback sockets for the transport tests: a worker, a listening socket and blocking peers.

class Events final : public TransportTarget {
 public:
  void on_open() override {
    ++opened;
    if (at_open) at_open();
  }
  void on_bytes(std::string_view bytes) override {
    received += bytes;
    ++reads;
    if (at_bytes) at_bytes(bytes);
  }
  void on_read_closed() override { ++read_closed; }
  void on_drained() override { ++drained; }
  void on_closed(const base::Error& error) override { closed.push_back(error); }

  int opened = 0;
  int reads = 0;
  int read_closed = 0;
  int drained = 0;
  std::string received;
  std::vector<base::Error> closed;
  base::UniqueFunction<void()> at_open;
  base::UniqueFunction<void(std::string_view)> at_bytes;
};

class LoopbackTest : public testing::Test {
 protected:
  LoopbackTest() { listen_again(); }

  void listen_again() {
    listener_ = base::UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    address_ = base::SocketAddress::parse("127.0.0.1", 0).value();
    const int on = 1;
    EXPECT_EQ(setsockopt(listener_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
    EXPECT_EQ(bind(listener_.get(), address_.data(), address_.size()), 0);
    EXPECT_EQ(listen(listener_.get(), 64), 0);
    address_ = name_of(listener_.get());
  }

  static base::SocketAddress name_of(int fd) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size), 0);
    return base::SocketAddress(reinterpret_cast<sockaddr*>(&storage));
  }

  // A blocking socket connected to the listener, with a bound on every wait.
  base::UniqueFd dial() {
    base::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const timeval bound{5, 0};
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
    setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof bound);
    EXPECT_EQ(connect(fd.get(), address_.data(), address_.size()), 0);
    return fd;
  }
  base::UniqueFd accept_one(int flags = SOCK_NONBLOCK | SOCK_CLOEXEC) {
    return base::UniqueFd(accept4(listener_.get(), nullptr, nullptr, flags));
  }

  template <typename Condition>
  bool run_until(Condition condition, std::chrono::milliseconds most = std::chrono::seconds(5)) {
    const auto end = std::chrono::steady_clock::now() + most;
    while (!condition() && std::chrono::steady_clock::now() < end) {
      worker_.loop().run_once(std::chrono::milliseconds(5));
    }
    return condition();
  }
  void spin(int iterations) {
    for (int i = 0; i < iterations; ++i) worker_.loop().run_once(std::chrono::milliseconds(0));
  }

  base::ProcessBudget process_;
  worker::Offload offload_{1, 4};
  worker::Worker worker_{0, process_, offload_};
  base::UniqueFd listener_;
  base::SocketAddress address_;
};

}  // namespace weir::transport
