#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/ip.h"
#include "common/base/result.h"
#include "dataplane/transport/client_certificate.h"
#include "dataplane/worker/buffer.h"

namespace weir::transport {

// What a TLS handshake agreed on. Views live as long as the transport.
struct TlsFacts {
  std::string_view protocol;     // "TLSv1.3"
  std::string_view cipher;       // OpenSSL's name
  std::string_view server_name;  // SNI, lower case; empty when none
  std::string_view alpn;         // "h2", "http/1.1", or empty
  bool resumed = false;
  const ClientCertificate* client = nullptr;  // null: none was asked for
};

// How to part from the peer. kLinger: it may still be sending, and a close with unread input would
// reset the connection and destroy the last bytes (RFC 9112 section 9.6). kAtOnce: all that it will
// ever send has been read.
enum class Farewell : std::uint8_t { kLinger, kAtOnce };

// Receives a transport's events. After on_closed nothing follows.
class TransportTarget {
 public:
  virtual ~TransportTarget() = default;
  virtual void on_open() = 0;  // handshake done (TCP connect, TLS); bytes may be written before
  virtual void on_bytes(std::string_view bytes) = 0;  // borrowed: points into the worker's scratch
  virtual void on_read_closed() = 0;                  // FIN or close_notify from the peer
  virtual void on_drained() = 0;  // queued() fell below 64 KiB after having been above 256 KiB
  virtual void on_closed(
      const base::Error& error) = 0;  // reset, handshake failure, connect failure, truncated TLS
};

// A connected byte stream: TCP, TLS over TCP, later a QUIC stream. Not an fd. One worker's thread.
// Destroying it closes at once.
//
// Output is queued and written with one system call: for owned slices at the end of the loop
// iteration, for borrowed ones right after the handler that is running; what the kernel does not
// take then is copied and waits for EPOLLOUT.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual void set_target(TransportTarget& target) = 0;  // borrowed; before the first event, and to
                                                         // hand the stream over
  virtual void write(worker::Slice bytes) = 0;
  virtual std::size_t queued() const = 0;
  // Bytes that the kernel holds and the peer has not taken. A system call: for timers.
  virtual std::size_t in_kernel() const = 0;
  // Whether bytes of the peer wait in the kernel that were not read yet. A system call.
  virtual bool has_unread() const = 0;
  virtual void drop_output() = 0;  // what is queued will never be sent: the close follows
  virtual void pause_reading() = 0;
  virtual void resume_reading() = 0;
  virtual void finish_writing() = 0;  // FIN / close_notify after the queue
  // No event follows. The end of the stream leaves with the last bytes, in the same segment where
  // they fit; kLinger then discards input for up to 2 s.
  virtual void close_when_flushed(Farewell farewell) = 0;
  virtual const base::SocketAddress& peer() const = 0;
  virtual const base::SocketAddress& local() const = 0;
  virtual const TlsFacts* tls() const = 0;  // null for plain TCP
  virtual std::uint64_t bytes_read() const = 0;
  virtual std::uint64_t bytes_written() const = 0;
};

}  // namespace weir::transport
