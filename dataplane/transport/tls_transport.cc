#include "dataplane/transport/tls_transport.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "common/base/check.h"

namespace weir::transport {
namespace {

constexpr std::size_t kSessionBytes = 14 * 1024;  // what OpenSSL holds for an idle session
constexpr std::size_t kSmallRecord = 1'350;       // with its overhead one segment of any path
constexpr std::uint32_t kSmallBytes = 40 * 1024;  // about two rounds of a fresh congestion window
constexpr auto kForgets = std::chrono::seconds(1);

}  // namespace

void SslFree::operator()(ssl_st* ssl) const { SSL_free(ssl); }

std::string openssl_reason() {
  const unsigned long code = ERR_get_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return reason == nullptr ? "broken by the peer" : reason;
}

TlsTransport::TlsTransport(worker::Worker& worker, std::shared_ptr<TlsScratch> scratch,
                           const base::SocketAddress& peer, base::Origin origin)
    : SocketTransport(worker, peer, origin), scratch_(std::move(scratch)) {}

void TlsTransport::begin_session(SslPtr ssl) {
  WEIR_CHECK(ssl_ == nullptr && ssl != nullptr);
  ssl_ = std::move(ssl);
  BIO* wire = scratch_->wire.share();
  SSL_set_bio(ssl_.get(), wire, wire);
  worker_.budget().charge(kSessionBytes);
}

TlsTransport::~TlsTransport() {
  if (destroyed_ != nullptr) *destroyed_ = true;
  if (ssl_ != nullptr) worker_.budget().release(kSessionBytes);
}

void TlsTransport::write(worker::Slice bytes) {
  if (closed() || write_error_ != 0 || finishing_ || bytes.empty()) return;
  const bool borrowed = bytes.is_borrowed();
  plain_.push(std::move(bytes));
  answered_since_end_ = true;
  if (queued() > kQueueHigh) over_high_ = true;
  schedule(borrowed);
}

void TlsTransport::keep_borrowed() {
  out_.keep(worker_.buffers());
  plain_.keep(worker_.buffers());
}

base::Error TlsTransport::handshake_error(std::string_view why) const {
  return base::Error{base::ErrorKind::kProtocol, origin_, origin_ == base::Origin::kUpstream,
                     "TLS handshake with " + peer_.to_string() + ": " + std::string(why)};
}

void TlsTransport::on_received(std::string_view bytes) {
  if (handshaking_ && !admit(bytes)) return;
  scratch_->wire.feed(bytes);
  const bool opens = handshaking_;
  if (opens && !step_handshake()) return;
  read_records(opens);
}

void TlsTransport::begin_handshake() {
  scratch_->wire.feed({});  // what another session left is not for this one
  step_handshake();
}

bool TlsTransport::step_handshake() {
  ERR_clear_error();
  const int done = drive_handshake();
  const int error = done == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), done);
  if (done == 1 && tickets_wait()) {
    tickets_ = worker_.buffers().copy(scratch_->wire.take_output());
    finish_handshake();
    return true;
  }
  out_.push(worker::Slice::borrowed(scratch_->wire.take_output()));
  if (error != SSL_ERROR_NONE && error != SSL_ERROR_WANT_READ) {
    const std::string why = handshake_failure();
    if (!pump()) return false;  // the alert
    fail(handshake_error(why));
    return false;
  }
  if (!pump()) return false;
  if (done != 1) return false;
  finish_handshake();
  return true;
}

// What a server makes behind the client's Finished in TLS 1.3 is tickets alone, and nobody waits
// for them: they leave with the first answer, in one system call and one segment.
bool TlsTransport::tickets_wait() const {
  return origin_ == base::Origin::kClient && SSL_version(ssl_.get()) >= TLS1_3_VERSION;
}

void TlsTransport::finish_handshake() {
  handshaking_ = false;
  const unsigned char* alpn = nullptr;
  unsigned alpn_size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &alpn, &alpn_size);
  facts_.protocol = SSL_get_version(ssl_.get());
  facts_.cipher = SSL_get_cipher_name(ssl_.get());
  facts_.server_name = server_name_;
  facts_.alpn = {reinterpret_cast<const char*>(alpn), alpn_size};
  facts_.resumed = SSL_session_reused(ssl_.get()) == 1;
  on_handshake_done();
  if (!plain_.empty()) schedule(false);
}

void TlsTransport::read_records(bool just_opened) {
  const std::span<char> scratch = worker_.scratch();
  std::size_t filled = 0;
  ERR_clear_error();
  int error = SSL_ERROR_NONE;
  while (error == SSL_ERROR_NONE && filled < scratch.size()) {
    std::size_t got = 0;
    const int ok = SSL_read_ex(ssl_.get(), scratch.data() + filled, scratch.size() - filled, &got);
    if (ok == 1)
      filled += got;
    else
      error = SSL_get_error(ssl_.get(), ok);
  }
  // Answers of the library itself (key update, alerts).
  if (const std::string_view own = scratch_->wire.take_output(); !own.empty()) {
    out_.push(worker_.buffers().copy(own));
    schedule(false);
  }
  const bool over = error == SSL_ERROR_ZERO_RETURN;
  const bool broken_off = error == SSL_ERROR_SSL || error == SSL_ERROR_SYSCALL;
  const std::string why = broken_off ? openssl_reason() : "";
  if (over) {
    read_closed_ = true;
    answered_since_end_ = !plain_.empty() || !out_.empty();
  }

  bool destroyed = false;
// Whoever destroys this object writes to the variable; otherwise the pointer is cleared below.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdangling-pointer"
#endif
  destroyed_ = &destroyed;
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
  if (just_opened && target_ != nullptr) target_->on_open();
  if (!destroyed && filled > 0 && target_ != nullptr) target_->on_bytes({scratch.data(), filled});
  if (destroyed) return;
  destroyed_ = nullptr;
  if (closed() || target_ == nullptr) return;
  if (over) return target_->on_read_closed();
  if (!broken_off) return;
  fail(base::Error{base::ErrorKind::kProtocol, origin_, false,
                   "read from " + peer_.to_string() + ": " + why});
}

void TlsTransport::on_eof() {
  if (handshaking_) {
    base::Error error = handshake_error("the peer closed the connection");
    error.kind = base::ErrorKind::kClosed;
    return fail(std::move(error));
  }
  fail(base::Error{base::ErrorKind::kClosed, origin_, false,
                   "read from " + peer_.to_string() + ": closed without close_notify"});
}

// Whether the peer ended both ways (close_notify and FIN) behind the last answer: a close_notify of
// ours would only be answered with a reset.
bool TlsTransport::nobody_listens() const {
  if (!read_closed_ || answered_since_end_) return false;
  char byte = 0;
  return recv(fd_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

// How much plaintext the next record may carry.
std::size_t TlsTransport::record_size() {
  if (origin_ == base::Origin::kUpstream) return TlsScratch::kRecord;
  const base::TimePoint now = worker_.loop().now();
  if (now - last_sent_ >= kForgets) small_left_ = kSmallBytes;
  last_sent_ = now;
  return small_left_ > 0 ? kSmallRecord : TlsScratch::kRecord;
}

// Makes one record, or several out of one large slice. Returns false when the session is broken.
bool TlsTransport::encrypt_some() {
  const std::size_t record = record_size();
  std::string_view bytes = plain_.front().bytes();
  if (bytes.size() < record && bytes.size() < plain_.bytes()) {
    // Small neighbours share a record: head and body leave in one.
    std::array<iovec, 64> parts;
    const std::size_t count = plain_.gather(parts);
    std::size_t staged = 0;
    for (std::size_t i = 0; i < count && staged < record; ++i) {
      const std::size_t size = std::min(parts[i].iov_len, record - staged);
      std::memcpy(scratch_->staging.get() + staged, parts[i].iov_base, size);
      staged += size;
    }
    bytes = {scratch_->staging.get(), staged};
  }
  std::size_t most = record;
  if (record == TlsScratch::kRecord) {
    most =
        std::max(record, TlsWire::kBatch - std::min(TlsWire::kBatch, scratch_->wire.output_size()));
  }
  std::size_t taken = 0;
  ERR_clear_error();
  if (SSL_write_ex(ssl_.get(), bytes.data(), std::min(bytes.size(), most), &taken) != 1)
    return false;
  small_left_ -= static_cast<std::uint32_t>(std::min<std::size_t>(taken, small_left_));
  plain_.consume(taken);
  return true;
}

bool TlsTransport::refill(bool finishing) {
  if (handshaking_) {
    plain_.keep(worker_.buffers());
    return false;
  }
  while (!plain_.empty() && scratch_->wire.output_size() < TlsWire::kBatch) {
    if (encrypt_some()) continue;
    ERR_clear_error();
    plain_.clear();
    write_error_ = EPROTO;
    scratch_->wire.take_output();
    return false;
  }
  if (plain_.empty() && finishing && !notified_) {
    notified_ = true;
    if (!nobody_listens()) SSL_shutdown(ssl_.get());
  }
  const std::string_view made = scratch_->wire.take_output();
  if (!made.empty() && !tickets_.empty()) out_.push(std::move(tickets_));
  out_.push(worker::Slice::borrowed(made));
  return !made.empty();
}

}  // namespace weir::transport
