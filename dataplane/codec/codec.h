#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "common/base/result.h"
#include "common/loop/loop.h"
#include "dataplane/codec/head.h"
#include "dataplane/worker/buffer.h"

namespace weir::codec {

// What HTTP/1, HTTP/2 and HTTP/3 have in common: a session on one connection carries messages; each
// message is a sequence of events
//
//   interim* head data* trailers? end          or, at any place,   reset
//
// No sockets here: a session reads what on_bytes() gives it and writes to a ByteStream. All calls
// are on the worker's thread.
//
// on_end comes also where no body follows. Life of a stream (one exchange's place in a session): it
// is over when the response has ended, whether or not the request has (on the server side with
// send_end, or send_head without a body; on the client side with on_end); or when reset() was
// called; or when on_reset() was delivered. After that neither side calls the other, and the stream
// object may already serve the next exchange. In a tunnel send_end is the end of the stream and of
// the connection: who gets on_end from one side calls send_end on the streams of both. A target may
// call its stream from inside any of its own events and may be destroyed (by Worker::bury) once the
// stream is over.

struct Limits {
  std::size_t head_bytes = 65'536;    // start line and fields; over: 431
  std::size_t fields = 100;           // over: 431
  std::size_t target_bytes = 32'768;  // over: 414
};

// How much body follows a head. kUnknown: until the message ends (chunked, HTTP/2 without a length,
// read until close).
struct BodyLength {
  enum class Kind : std::uint8_t { kNone, kKnown, kUnknown };
  Kind kind = Kind::kNone;
  std::uint64_t bytes = 0;  // of kKnown, > 0
  static BodyLength none() { return {}; }
  static BodyLength known(std::uint64_t bytes) {
    return {bytes == 0 ? Kind::kNone : Kind::kKnown, bytes};
  }
  static BodyLength unknown() { return {Kind::kUnknown, 0}; }
};

// Receives one message. Framing fields (Content-Length, Transfer-Encoding) stay in the head for
// information; the length says what holds.
class MessageTarget {
 public:
  virtual ~MessageTarget() = default;
  virtual void on_interim(HeadPtr head) = 0;  // 1xx but 101; responses only
  virtual void on_head(
      HeadPtr head,
      BodyLength length) = 0;  // a response head of status 101 opens a tunnel: data until end
  virtual void on_data(worker::Slice data) = 0;  // not empty; may be borrowed
  virtual void on_trailers(HeadPtr trailers) = 0;
  virtual void on_end() = 0;
  virtual void on_reset(
      const base::Error& error) = 0;  // the peer's fault or a lost connection; nothing follows
  virtual void on_writable() = 0;  // queued() fell below kLowMark after it had been over kHighMark
};

// Sends the message of the other direction and controls the flow of this one. Owned by the session.
class MessageStream {
 public:
  static constexpr std::size_t kHighMark = 256 * 1024;  // stop producing above
  static constexpr std::size_t kLowMark = 64 * 1024;

  virtual ~MessageStream() = default;
  virtual void send_interim(const Head& head) = 0;
  // Connection-level fields (Connection, Content-Length, Transfer-Encoding, Keep-Alive, Upgrade …)
  // are the session's to write: it frames by length and ignores those in the head, but for Upgrade
  // when the message opens a tunnel. A message of length none is over after send_head; every other
  // one ends with send_end or send_trailers.
  virtual void send_head(const Head& head, BodyLength length) = 0;
  virtual void send_data(worker::Slice data) = 0;
  virtual void send_trailers(const Head& trailers) = 0;  // ends the message
  virtual void send_end() = 0;
  // Gives the stream up: HTTP/1 closes the connection when a message is half done, HTTP/2 resets
  // the stream.
  virtual void reset(const base::Error& error) = 0;
  // No more on_data until resume(); the session stops reading what it cannot deliver.
  virtual void pause() = 0;
  virtual void resume() = 0;
  // Body bytes accepted here and not yet taken by the kernel (or the peer's window).
  virtual std::size_t queued() const = 0;
};

// Where a session writes to; implemented by the connection on top of its Transport.
class ByteStream {
 public:
  virtual ~ByteStream() = default;
  virtual void write(worker::Slice bytes) = 0;  // borrowed slices are written or copied before the
                                                // current event returns
  // What is queued is not to be sent: the session ends with a message that stays broken.
  virtual void drop_output() {}
  virtual void pause_reading() = 0;
  virtual void resume_reading() = 0;
  virtual std::size_t queued() const = 0;
};

// Memory and limits that a session uses; borrowed, outlives it.
struct SessionContext {
  worker::BufferPool& buffers;
  HeadPool& heads;
  const Limits& limits;
  // HTTP/2 gathers its output by it and keeps time; never null there. An HTTP/1 server rests in a
  // long burst of pipelined requests; without one it does not.
  loop::Loop* loop = nullptr;
};

// What a session is doing, for the connection's timeouts.
enum class SessionPhase : std::uint8_t { kIdle, kReadingHead, kBusy };

// The server side of a session tells its connection:
class ServerTarget {
 public:
  virtual ~ServerTarget() = default;
  // A request starts. The returned target receives it (on_head follows at once) and answers on
  // stream.
  virtual MessageTarget& on_request(MessageStream& stream) = 0;
  // A request that must be refused with this status (400, 408, 414, 431, 501, 505). The
  // connection answers on stream with its own page; the session then ends (HTTP/1) or resets the
  // stream (HTTP/2). head: what could be read, may be null. When the fault lies in a body, the
  // request's target has had its on_reset before.
  virtual void on_bad_request(MessageStream& stream, int status, const base::Error& error,
                              const Head* head) = 0;
  // Nothing more will be read or written: close the connection once its queue is flushed.
  virtual void on_session_end() = 0;
};

class ServerSession {
 public:
  virtual ~ServerSession() = default;
  virtual void on_bytes(std::string_view bytes) = 0;  // consumes all; borrowed for the call
  virtual void on_read_closed() = 0;                  // the client has sent FIN
  virtual void on_lost(
      const base::Error& error) = 0;  // the connection is gone: resets every open stream
  virtual void on_drained() = 0;      // the ByteStream's queue ran low
  // No new request after those that are open: "Connection: close" on the next response, GOAWAY.
  // Ends an idle session at once.
  virtual void start_drain() = 0;
  // The head that is being read has taken too long. HTTP/1: a request that has begun is answered
  // with 408 by way of on_bad_request, and the session ends. HTTP/2: GOAWAY, for a field section
  // that is not whole blocks every stream (RFC 9113 section 4.3), and the session ends behind it.
  //   returns: true when the session will end by itself; else the connection closes now.
  virtual bool on_head_late() = 0;
  virtual SessionPhase phase() const = 0;
  // The client has said that nothing follows what it sent, and all of that has been read: the
  // connection needs no lingering close. Stays valid after on_session_end().
  virtual bool client_is_done() const = 0;
  virtual std::size_t open_streams() const = 0;
  // True while it is idle and knows nothing that a new session would not: it may then be destroyed,
  // and a new one take over with the next bytes. HTTP/2 never can.
  virtual bool can_park() const { return false; }
};

// The client side of a session tells its pooled connection:
class ClientTarget {
 public:
  virtual ~ClientTarget() = default;
  // can_open() or settled() may have changed: a stream is over, or the peer has said how many it
  // allows, or that it takes no more. Not called when the session ends.
  virtual void on_stream_over() = 0;
  virtual void on_session_end() = 0;  // cannot be used again: close once the queue is flushed
};

class ClientSession {
 public:
  virtual ~ClientSession() = default;
  virtual bool can_open() const = 0;  // a new exchange fits now
  // Precondition: can_open(). target receives the response.
  virtual MessageStream& open(MessageTarget& target) = 0;
  virtual void on_bytes(std::string_view bytes) = 0;
  virtual void on_read_closed() = 0;
  virtual void on_lost(const base::Error& error) = 0;
  virtual void on_drained() = 0;
  virtual std::size_t open_streams() const = 0;
  // Exchanges at once; holds once settled().
  virtual std::size_t most_streams() const { return 1; }
  virtual bool settled() const { return true; }  // the peer has said what it allows
};

}  // namespace weir::codec
