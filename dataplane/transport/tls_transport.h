#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "dataplane/transport/socket_transport.h"
#include "dataplane/transport/tls_wire.h"

struct ssl_st;

namespace weir::transport {

struct SslFree {
  void operator()(ssl_st* ssl) const;
};
using SslPtr = std::unique_ptr<ssl_st, SslFree>;

// First reason in OpenSSL's error queue, which is emptied.
std::string openssl_reason();

// What the TLS sessions of one side of a worker share. One thread.
struct TlsScratch {
  static constexpr std::size_t kReceive =
      128 * 1024;  // its plaintext fits into the worker's scratch
  static constexpr std::size_t kRecord = 16 * 1024;
  TlsWire wire;
  std::unique_ptr<char[]> received{new char[kReceive]};  // ciphertext of one recv
  std::unique_ptr<char[]> staging{new char[kRecord]};    // small slices of one record
};

// A TLS session over a socket, the part that both sides have in common: records both ways, the end
// of the stream, and the steps of a handshake whose meaning the sides add.
//
// Records begin small, so that a client can use the first bytes of a page before a whole record has
// come, and grow to 16 KiB once 40 KiB were sent; after a second of silence they begin small again.
// Only towards clients: a backend wants the whole request anyway.
class TlsTransport : public SocketTransport {
 public:
  ~TlsTransport() override;
  void write(worker::Slice bytes) final;
  std::size_t queued() const final { return plain_.bytes() + out_.bytes(); }
  const TlsFacts* tls() const final { return &facts_; }

 protected:
  TlsTransport(worker::Worker& worker, std::shared_ptr<TlsScratch> scratch,
               const base::SocketAddress& peer, base::Origin origin);

  // Before the first step of a handshake. ssl: not null.
  void begin_session(SslPtr ssl);

  // The sides' parts of a handshake.
  // What came while the handshake runs; may put what came before in front of it. Returns false when
  // the library is not to see it yet, or the transport has ended.
  virtual bool admit(std::string_view& bytes) = 0;
  virtual int drive_handshake() = 0;            // what SSL_do_handshake gives
  virtual std::string handshake_failure() = 0;  // why, for people
  virtual void on_handshake_done() = 0;         // notes further facts

  ssl_st* ssl() const { return ssl_.get(); }  // null before begin_session()
  bool handshaking() const { return handshaking_; }
  // The first step of the side that speaks first.
  void begin_handshake();
  // Returns true when the handshake is done and reading may go on.
  bool step_handshake();
  base::Error handshake_error(std::string_view why) const;
  // Decrypts all that came and gives it to the target at once.
  void read_records(bool just_opened);

  void on_received(std::string_view bytes) final;
  void on_eof() final;

  TlsFacts facts_;
  std::string server_name_;

 private:
  std::span<char> receive_buffer() final {
    return {scratch_->received.get(), TlsScratch::kReceive};
  }
  bool refill(bool finishing) final;
  void keep_borrowed() final;
  void drop_unsent() final { plain_.clear(); }
  bool encrypt_some();
  std::size_t record_size();
  void finish_handshake();
  bool tickets_wait() const;
  bool nobody_listens() const;

  const std::shared_ptr<TlsScratch> scratch_;
  SslPtr ssl_;
  OutQueue plain_;
  worker::Slice tickets_;  // leave with the first answer
  base::TimePoint last_sent_{};
  std::uint32_t small_left_ = 0;  // bytes that still leave in small records
  bool handshaking_ = true;
  bool notified_ = false;  // close_notify is sent
  bool answered_since_end_ =
      false;                   // something was written, or unsent, behind the peer's close_notify
  bool* destroyed_ = nullptr;  // set while a callback runs after which this object goes on
};

}  // namespace weir::transport
