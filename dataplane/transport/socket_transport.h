#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "common/base/fd.h"
#include "common/loop/loop.h"
#include "dataplane/transport/out_queue.h"
#include "dataplane/transport/transport.h"
#include "dataplane/worker/worker.h"

namespace weir::transport {

// Queue marks of Transport::on_drained.
inline constexpr std::size_t kQueueHigh = 256 * 1024;
inline constexpr std::size_t kQueueLow = 64 * 1024;

// What TCP and TLS transports share: one registered socket, one recv per readable event, one
// sendmsg per flush.
//
// Invariants: (1) EPOLLIN and EPOLLRDHUP are armed once; they are dropped only when an event comes
// while reading is paused or over; EPOLLOUT is armed only while the kernel's buffer is full. (2)
// After a callback into the target nothing of this object is touched, so the target may destroy it
// there. (3) closed() means: no fd, no registration, and no further event.
class SocketTransport : public Transport, public loop::IoHandler, public loop::Flushable {
 public:
  SocketTransport(const SocketTransport&) = delete;
  SocketTransport& operator=(const SocketTransport&) = delete;
  ~SocketTransport() override;

  void set_target(TransportTarget& target) final { target_ = &target; }
  void drop_output() final {
    out_.clear();
    drop_unsent();
  }
  void pause_reading() final { paused_ = true; }
  void resume_reading() final;
  void finish_writing() final;
  void close_when_flushed(Farewell farewell) final;
  std::size_t in_kernel() const final;
  bool has_unread() const final;
  const base::SocketAddress& peer() const final { return peer_; }
  const base::SocketAddress& local() const final;
  std::uint64_t bytes_read() const final { return read_; }
  std::uint64_t bytes_written() const final { return written_; }

  void on_io(std::uint32_t events) final;
  void flush() final;

 protected:
  enum class State : std::uint8_t { kConnecting, kOpening, kOpen, kClosed };

  SocketTransport(worker::Worker& worker, const base::SocketAddress& peer, base::Origin origin)
      : worker_(worker), peer_(peer), origin_(origin) {}

  // Where received bytes go; consumed within on_received.
  virtual std::span<char> receive_buffer() = 0;
  virtual void on_connected() = 0;                       // the socket is open; once
  virtual void on_received(std::string_view bytes) = 0;  // last action of a readable event
  virtual void on_eof() = 0;                             // recv gave 0; last action, once
  // False: nothing is read now; stop_reading() was called, or the event is reported again.
  virtual bool may_receive() { return true; }
  // Fills out_ when it has run empty. Returns false when there is nothing to send. finishing: the
  // transport will write nothing else.
  virtual bool refill(bool finishing) = 0;
  virtual void drop_unsent() {}                                   // what is not in out_ yet
  virtual void keep_borrowed() { out_.keep(worker_.buffers()); }  // what could not leave now

  void watch(base::UniqueFd fd, State state);  // registers with the loop
  void stop_reading();  // like pause_reading(), and not one event more until resume_reading()
  void schedule(bool borrowed);  // a flush, soon or at the end of the iteration
  bool closed() const { return state_ == State::kClosed; }
  // Sends what is queued and arms or disarms EPOLLOUT.
  //   returns: false when the transport ended (the target was told) or the target was called.
  bool pump();
  void fail(base::Error error);  // closes and tells the target
  base::Error broken(std::string_view verb, int errno_value) const;
  void connected();  // kConnecting or kOpening -> kOpen

  worker::Worker& worker_;
  TransportTarget* target_ = nullptr;
  OutQueue out_;
  std::uint64_t read_ = 0;
  std::uint64_t written_ = 0;
  base::UniqueFd fd_;
  loop::IoToken token_;
  const base::SocketAddress peer_;
  const base::Origin origin_;
  State state_ = State::kOpening;
  bool paused_ = false;
  bool input_armed_ = true;
  bool read_closed_ = false;
  bool write_blocked_ = false;  // waits for EPOLLOUT
  bool over_high_ = false;
  bool finishing_ = false;  // FIN after the queue
  bool finished_ = false;   // FIN sent
  int write_error_ = 0;     // errno of a failed write; what is still readable is delivered first

 private:
  virtual void on_connecting_event(std::uint32_t events);
  void receive(std::uint32_t events);
  void quiet_event(std::uint32_t events);
  bool send_queued();
  bool write_failed(int errno_value);
  void update_interest();
  void close_socket();

  mutable std::unique_ptr<base::SocketAddress> local_;  // asked for at first use
};

}  // namespace weir::transport
