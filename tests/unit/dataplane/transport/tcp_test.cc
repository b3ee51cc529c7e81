#include <poll.h>

#include <thread>

#include "loopback.h"

namespace weir::transport {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class TcpTest : public LoopbackTest {
 protected:
  // An accepted transport whose peer is peer_.
  void accept_pair() {
    peer_ = dial();
    transport_ = accept_tcp(worker_, accept_one(), name_of(peer_.get()));
    transport_->set_target(events_);
    ASSERT_TRUE(run_until([&] { return events_.opened == 1; }));
  }
  void peer_sends(std::string_view bytes) {
    ASSERT_EQ(send(peer_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  // What the peer reads until the stream ends, run beside the loop.
  std::string peer_reads_all() {
    std::string out;
    bool over = false;
    std::thread reader([&] {
      std::vector<char> buffer(65'536);
      for (ssize_t got = 1; got > 0;) {
        got = recv(peer_.get(), buffer.data(), buffer.size(), 0);
        if (got > 0) out.append(buffer.data(), static_cast<std::size_t>(got));
      }
      worker_.loop().post([&] { over = true; });
    });
    run_until([&] { return over; });
    reader.join();
    return out;
  }
  std::string peer_reads(std::size_t size) {
    std::string out(size, '\0');
    const ssize_t got = recv(peer_.get(), out.data(), out.size(), MSG_WAITALL);
    out.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return out;
  }

  Events events_;
  base::UniqueFd peer_;
  std::unique_ptr<Transport> transport_;
};

TEST_F(TcpTest, BytesPassBothWaysAndAreCounted) {
  accept_pair();
  peer_sends("hello");
  ASSERT_TRUE(run_until([&] { return events_.received == "hello"; }));
  transport_->write(worker_.buffers().copy("wor"));
  transport_->write(worker_.buffers().copy("ld"));
  EXPECT_EQ(transport_->queued(), 5U);
  spin(1);
  EXPECT_EQ(transport_->queued(), 0U);
  EXPECT_EQ(peer_reads(5), "world");
  EXPECT_EQ(transport_->bytes_read(), 5U);
  EXPECT_EQ(transport_->bytes_written(), 5U);
  EXPECT_EQ(transport_->peer(), name_of(peer_.get()));
  EXPECT_EQ(transport_->local(), address_);
  EXPECT_EQ(transport_->tls(), nullptr);
}

TEST_F(TcpTest, BorrowedBytesLeaveBeforeTheScratchIsUsedAgain) {
  accept_pair();
  events_.at_bytes = [&](std::string_view bytes) {
    transport_->write(worker::Slice::borrowed(bytes));
  };
  std::string want;
  for (int i = 0; i < 50; ++i) {
    const std::string part = "part " + std::to_string(i) + ";";
    peer_sends(part);
    want += part;
    spin(2);
  }
  EXPECT_EQ(peer_reads(want.size()), want);
  EXPECT_EQ(worker_.buffers().chunks_taken(), 0U);
}

TEST_F(TcpTest, WhatTheKernelDoesNotTakeIsKeptAndDrainsInOrder) {
  accept_pair();
  std::string big(8 * 1024 * 1024, 'x');
  for (std::size_t i = 0; i < big.size(); ++i) big[i] = static_cast<char>('a' + i / 1000 % 26);
  std::string scratch = big;
  transport_->write(worker::Slice::borrowed(scratch));
  spin(1);
  const std::size_t left = transport_->queued();
  ASSERT_GT(left, 256U * 1024);
  scratch.assign(scratch.size(), '!');  // the borrower's promise ends with the iteration
  transport_->finish_writing();
  EXPECT_EQ(peer_reads_all(), big);
  EXPECT_EQ(events_.drained, 1);
  EXPECT_EQ(worker_.buffers().chunks_taken(), 0U);
}

TEST_F(TcpTest, PausedReadingHoldsBytesBackAndResumingDeliversThem) {
  accept_pair();
  transport_->pause_reading();
  peer_sends("held");
  spin(5);
  EXPECT_EQ(events_.received, "");
  const auto before = worker_.loop().figures().events.load();
  spin(20);
  EXPECT_EQ(worker_.loop().figures().events.load(), before) << "a paused socket must not spin";
  transport_->resume_reading();
  ASSERT_TRUE(run_until([&] { return events_.received == "held"; }));
}

TEST_F(TcpTest, AResetWhilePausedIsTold) {
  accept_pair();
  transport_->pause_reading();
  const struct ::linger hard{1, 0};
  setsockopt(peer_.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  peer_.reset();
  ASSERT_TRUE(run_until([&] { return !events_.closed.empty(); }));
  EXPECT_EQ(events_.closed[0].kind, base::ErrorKind::kClosed);
  EXPECT_EQ(events_.closed[0].origin, base::Origin::kClient);
}

TEST_F(TcpTest, TheEndOfInputIsToldOnceAndOutputGoesOn) {
  accept_pair();
  peer_sends("last");
  shutdown(peer_.get(), SHUT_WR);
  ASSERT_TRUE(run_until([&] { return events_.read_closed == 1; }));
  EXPECT_EQ(events_.received, "last");
  spin(10);
  const auto before = worker_.loop().figures().events.load();
  spin(10);
  EXPECT_EQ(worker_.loop().figures().events.load(), before) << "a half-closed socket must not spin";
  transport_->write(worker_.buffers().copy("answer"));
  transport_->finish_writing();
  EXPECT_EQ(peer_reads_all(), "answer");
  EXPECT_EQ(events_.read_closed, 1);
  EXPECT_TRUE(events_.closed.empty());
}

TEST_F(TcpTest, AResetEndsTheTransportWithTheReason) {
  accept_pair();
  const struct ::linger hard{1, 0};
  setsockopt(peer_.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  const std::string name = name_of(peer_.get()).to_string();
  peer_.reset();
  ASSERT_TRUE(run_until([&] { return !events_.closed.empty(); }));
  EXPECT_EQ(events_.closed.size(), 1U);
  EXPECT_EQ(events_.closed[0].text, "read from " + name + ": Connection reset by peer");
  transport_->write(worker_.buffers().copy("into the void"));
  spin(2);
  EXPECT_EQ(events_.closed.size(), 1U);
}

TEST_F(TcpTest, ADestroyedTransportIsClosedAtOnce) {
  accept_pair();
  transport_.reset();
  EXPECT_EQ(peer_reads(1), "");
}

TEST_F(TcpTest, CloseWhenFlushedDeliversEverythingAfterTheOwnerIsGone) {
  accept_pair();
  const std::string big(4 * 1024 * 1024, 'y');
  transport_->write(worker_.buffers().copy(big));
  transport_->close_when_flushed(Farewell::kLinger);
  EXPECT_EQ(transport_->queued(), 0U);
  transport_.reset();
  EXPECT_EQ(peer_reads_all(), big);
  peer_.reset();
  spin(5);
  EXPECT_EQ(worker_.buffers().chunks_taken(), 0U);
  EXPECT_EQ(events_.read_closed, 0);
  EXPECT_TRUE(events_.closed.empty());
}

TEST_F(TcpTest, UnreadInputDoesNotResetTheLastBytes) {
  accept_pair();
  peer_sends(std::string(100'000, 'u'));  // arrives, and nobody reads it before the close
  transport_->pause_reading();
  transport_->write(worker_.buffers().copy("413"));
  transport_->close_when_flushed(Farewell::kLinger);
  transport_.reset();
  EXPECT_EQ(peer_reads_all(), "413");
}

TEST_F(TcpTest, AFarewellAtOnceDeliversTheLastBytesAndKeepsNothing) {
  accept_pair();
  transport_->write(worker_.buffers().copy("last"));
  transport_->close_when_flushed(Farewell::kAtOnce);
  transport_.reset();
  EXPECT_EQ(worker_.buffers().chunks_taken(), 0U);
  EXPECT_EQ(peer_reads_all(), "last");
  // The socket is gone, not half closed: what comes now is answered by a reset.
  EXPECT_GE(send(peer_.get(), "?", 1, MSG_NOSIGNAL), 0);
  EXPECT_TRUE(run_until(
      [&] { return send(peer_.get(), "?", 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno == EPIPE; },
      milliseconds(1'000)));
}

TEST_F(TcpTest, AFarewellAtOnceOutlivesAFullKernelBuffer) {
  accept_pair();
  const std::string big(4 * 1024 * 1024, 'y');
  transport_->write(worker_.buffers().copy(big));
  transport_->close_when_flushed(Farewell::kAtOnce);
  transport_.reset();
  EXPECT_EQ(peer_reads_all(), big);
  EXPECT_TRUE(run_until([&] { return worker_.buffers().chunks_taken() == 0; }));
}

TEST_F(TcpTest, ALingeringSocketEndsAfterTwoSecondsEvenWhenThePeerStays) {
  accept_pair();
  transport_->close_when_flushed(Farewell::kLinger);
  transport_.reset();
  EXPECT_EQ(peer_reads_all(), "");
  const auto start = std::chrono::steady_clock::now();
  // Once the socket is gone, bytes sent to it are answered by a reset.
  const bool gone = run_until(
      [&] { return send(peer_.get(), "?", 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno == EPIPE; });
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT_TRUE(gone);
  EXPECT_GT(took, milliseconds(1'500));
  EXPECT_LT(took, milliseconds(3'500));
}

TEST_F(TcpTest, AnAcceptedTransportHoldsNoBufferWhileIdle) {
  accept_pair();
  peer_sends("x");
  ASSERT_TRUE(run_until([&] { return events_.received == "x"; }));
  transport_->write(worker_.buffers().copy("y"));
  spin(2);
  EXPECT_EQ(worker_.buffers().chunks_taken(), 0U);
}

class ConnectTest : public LoopbackTest {
 protected:
  Events events_;
};

TEST_F(ConnectTest, ConnectsAndSendsWhatWasWrittenBefore) {
  auto transport = connect_tcp(worker_, address_, seconds(5));
  transport->set_target(events_);
  transport->write(worker::Slice::borrowed("GET "));
  transport->write(worker_.buffers().copy("/"));
  ASSERT_TRUE(run_until([&] { return events_.opened == 1 && transport->queued() == 0; }));
  const base::UniqueFd server = accept_one(SOCK_CLOEXEC);
  std::array<char, 5> got{};
  EXPECT_EQ(recv(server.get(), got.data(), got.size(), MSG_WAITALL), 5);
  EXPECT_EQ(std::string_view(got.data(), 5), "GET /");
  EXPECT_EQ(transport->peer(), address_);
}

TEST_F(ConnectTest, ARefusedConnectionSaysWhereAndMayBeRetried) {
  listener_.reset();
  auto transport = connect_tcp(worker_, address_, seconds(5));
  transport->set_target(events_);
  EXPECT_TRUE(events_.closed.empty()) << "never from inside connect_tcp";
  ASSERT_TRUE(run_until([&] { return !events_.closed.empty(); }));
  EXPECT_EQ(events_.closed[0].text, "connect " + address_.to_string() + ": Connection refused");
  EXPECT_EQ(events_.closed[0].kind, base::ErrorKind::kClosed);
  EXPECT_EQ(events_.closed[0].origin, base::Origin::kUpstream);
  EXPECT_TRUE(events_.closed[0].retryable);
  EXPECT_EQ(events_.opened, 0);
}

TEST_F(ConnectTest, ASilentPeerEndsInATimeout) {
  // A full backlog: the kernel drops further SYNs.
  EXPECT_EQ(listen(listener_.get(), 0), 0);
  std::vector<base::UniqueFd> fillers;
  for (int i = 0; i < 4; ++i) {
    fillers.emplace_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    [[maybe_unused]] const int r = connect(fillers.back().get(), address_.data(), address_.size());
  }
  auto transport = connect_tcp(worker_, address_, milliseconds(100));
  transport->set_target(events_);
  ASSERT_TRUE(run_until([&] { return !events_.closed.empty(); }));
  EXPECT_EQ(events_.closed[0].kind, base::ErrorKind::kTimeout);
  EXPECT_EQ(events_.closed[0].text, "connect " + address_.to_string() + ": timed out after 100 ms");
  EXPECT_TRUE(events_.closed[0].retryable);
}

TEST_F(ConnectTest, AnAnswerSentBeforeTheResetIsStillRead) {
  auto transport = connect_tcp(worker_, address_, seconds(5));
  transport->set_target(events_);
  ASSERT_TRUE(run_until([&] { return events_.opened == 1; }));
  {
    const base::UniqueFd server = accept_one(SOCK_CLOEXEC);
    EXPECT_EQ(send(server.get(), "413", 3, MSG_NOSIGNAL), 3);
  }
  // The body goes on against a closed peer: the kernel answers with a reset.
  for (int i = 0; i < 50 && events_.closed.empty(); ++i) {
    transport->write(worker_.buffers().copy(std::string(10'000, 'b')));
    spin(1);
  }
  run_until([&] { return !events_.closed.empty() || events_.read_closed > 0; });
  EXPECT_EQ(events_.received, "413");
}

}  // namespace
}  // namespace weir::transport
