#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "common/base/check.h"
#include "dataplane/transport/client_hello.h"
#include "dataplane/transport/factory.h"
#include "dataplane/transport/socket_transport.h"
#include "dataplane/transport/tls_contexts.h"
#include "dataplane/transport/tls_wire.h"

namespace weir::transport {
namespace {

constexpr std::size_t kReceive = 128 * 1024;  // its plaintext always fits into the scratch
constexpr std::size_t kRecord = 16 * 1024;
constexpr int kHandshakesPerIteration = 5;
constexpr std::size_t kSessionBytes = 14 * 1024;  // what OpenSSL holds for an idle session

// First reason in OpenSSL's error queue, which is emptied.
std::string openssl_reason() {
  const unsigned long code = ERR_get_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return reason == nullptr ? "broken by the peer" : reason;
}

struct SslFree {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

}  // namespace

struct TlsServer::Impl {
  Impl(worker::Worker& owner, std::string_view answer)
      : worker(owner),
        plain_http_answer(answer),
        received(new char[kReceive]),
        staging(new char[kRecord]) {}

  // Handshakes burn hundreds of microseconds each; a few an iteration, so that live traffic does
  // not wait for a crowd of newcomers. The others' bytes stay in the kernel and are reported again.
  bool take_handshake_turn() {
    const std::uint64_t iteration =
        worker.loop().figures().iterations.load(std::memory_order_relaxed);
    if (iteration != turn_iteration) turns_left = kHandshakesPerIteration;
    turn_iteration = iteration;
    if (turns_left == 0) return false;
    --turns_left;
    return true;
  }

  worker::Worker& worker;
  const std::string_view plain_http_answer;
  TlsContexts contexts;
  TlsWire wire;
  std::unique_ptr<char[]> received;  // ciphertext of one recv
  std::unique_ptr<char[]> staging;   // small slices of one record
  std::uint64_t turn_iteration = 0;
  int turns_left = kHandshakesPerIteration;
};

namespace {

class TlsTransport final : public SocketTransport {
 public:
  TlsTransport(std::shared_ptr<TlsServer::Impl> server, base::UniqueFd fd,
               const base::SocketAddress& peer, const CertificateChooser& chooser,
               base::Duration deadline)
      : SocketTransport(server->worker, peer, base::Origin::kClient),
        server_(std::move(server)),
        ssl_(SSL_new(server_->contexts.start())),
        handshake_(std::make_unique<Handshake>(*this, chooser, deadline)) {
    WEIR_CHECK(ssl_ != nullptr);
    BIO* wire = server_->wire.share();
    SSL_set_bio(ssl_.get(), wire, wire);
    SSL_set_accept_state(ssl_.get());
    worker_.budget().charge(kSessionBytes);
    watch(std::move(fd), State::kOpen);
  }
  ~TlsTransport() override {
    if (destroyed_ != nullptr) *destroyed_ = true;
    worker_.budget().release(kSessionBytes);
  }

  void write(worker::Slice bytes) override {
    if (closed() || write_error_ != 0 || finishing_ || bytes.empty()) return;
    const bool borrowed = bytes.is_borrowed();
    plain_.push(std::move(bytes));
    if (queued() > kQueueHigh) over_high_ = true;
    schedule(borrowed);
  }
  std::size_t queued() const override { return plain_.bytes() + out_.bytes(); }
  const TlsFacts* tls() const override { return &facts_; }

 private:
  // What only a handshake needs.
  struct Handshake final : TlsHandshake, loop::TimerTarget {
    Handshake(TlsTransport& transport, const CertificateChooser& certificates,
              base::Duration deadline)
        : owner(transport),
          chooses(certificates),
          patience(deadline),
          timer(transport.worker_.loop().timers(), *this) {
      timer.arm(transport.worker_.loop().now() + deadline);
    }
    void on_server_name(std::string_view name) override { owner.server_name_ = name; }
    const CertificateChooser& chooser() const override { return chooses; }
    void on_no_certificate() override { no_certificate = true; }
    void on_timer() override { owner.handshake_too_slow(); }

    TlsTransport& owner;
    const CertificateChooser& chooses;
    const base::Duration patience;
    loop::Timer timer;
    bool no_certificate = false;
  };

  std::span<char> receive_buffer() override { return {server_->received.get(), kReceive}; }
  bool may_receive() override { return handshake_ == nullptr || server_->take_handshake_turn(); }
  void on_connected() override {}
  void on_received(std::string_view bytes) override;
  void on_eof() override;
  bool refill(bool finishing) override;
  void keep_borrowed() override {
    out_.keep(worker_.buffers());
    plain_.keep(worker_.buffers());
  }

  bool step_handshake();
  void finish_handshake();
  base::Error handshake_error(std::string_view why) const;
  void handshake_too_slow();
  void refuse_plain_http();
  void read_records(bool just_opened);
  bool encrypt_some();

  const std::shared_ptr<TlsServer::Impl> server_;
  std::unique_ptr<SSL, SslFree> ssl_;
  std::unique_ptr<Handshake> handshake_;  // null once it is done
  OutQueue plain_;
  TlsFacts facts_;
  std::string server_name_;
  bool* destroyed_ = nullptr;  // set while a callback runs after which this object goes on
  bool notified_ = false;      // close_notify is sent
};

base::Error TlsTransport::handshake_error(std::string_view why) const {
  return base::Error{base::ErrorKind::kProtocol, base::Origin::kClient, false,
                     "TLS handshake with " + peer_.to_string() + ": " + std::string(why)};
}

void TlsTransport::handshake_too_slow() {
  const auto millis =
      std::chrono::duration_cast<std::chrono::milliseconds>(handshake_->patience).count();
  base::Error error = handshake_error("not done after " + std::to_string(millis) + " ms");
  error.kind = base::ErrorKind::kTimeout;
  fail(std::move(error));
}

void TlsTransport::refuse_plain_http() {
  TransportTarget* target = target_;
  if (!server_->plain_http_answer.empty()) {
    out_.push(worker_.buffers().copy(server_->plain_http_answer));
  }
  close_when_flushed(Farewell::kLinger);
  if (target != nullptr) target->on_closed(handshake_error("plain HTTP request sent to TLS port"));
}

void TlsTransport::on_received(std::string_view bytes) {
  if (handshake_ != nullptr && read_ == bytes.size() &&
      judge_opening(bytes) == Opening::kPlainHttp) {
    return refuse_plain_http();
  }
  server_->wire.feed(bytes);
  const bool handshaking = handshake_ != nullptr;
  if (handshaking && !step_handshake()) return;
  read_records(handshaking);
}

// Returns true when the handshake is done and reading may go on.
bool TlsTransport::step_handshake() {
  ERR_clear_error();
  server_->contexts.set_current(handshake_.get());
  const int done = SSL_do_handshake(ssl_.get());
  server_->contexts.set_current(nullptr);
  const int error = done == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), done);
  out_.push(worker::Slice::borrowed(server_->wire.take_output()));
  if (error != SSL_ERROR_NONE && error != SSL_ERROR_WANT_READ) {
    const std::string why =
        handshake_->no_certificate ? "no certificate for '" + server_name_ + "'" : openssl_reason();
    if (!pump()) return false;  // the alert
    fail(handshake_error(why));
    return false;
  }
  if (!pump()) return false;
  if (done != 1) return false;
  finish_handshake();
  return true;
}

void TlsTransport::finish_handshake() {
  handshake_.reset();
  const unsigned char* alpn = nullptr;
  unsigned alpn_size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &alpn, &alpn_size);
  facts_.protocol = SSL_get_version(ssl_.get());
  facts_.cipher = SSL_get_cipher_name(ssl_.get());
  facts_.server_name = server_name_;
  facts_.alpn = {reinterpret_cast<const char*>(alpn), alpn_size};
  facts_.resumed = SSL_session_reused(ssl_.get()) == 1;
  if (!plain_.empty()) schedule(false);
}

// Decrypts all that came and gives it to the target at once.
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
  if (const std::string_view own = server_->wire.take_output(); !own.empty()) {
    out_.push(worker_.buffers().copy(own));
    schedule(false);
  }
  const bool over = error == SSL_ERROR_ZERO_RETURN;
  const bool broken_off = error == SSL_ERROR_SSL || error == SSL_ERROR_SYSCALL;
  const std::string why = broken_off ? openssl_reason() : "";
  if (over) read_closed_ = true;

  bool destroyed = false;
  destroyed_ = &destroyed;
  if (just_opened && target_ != nullptr) target_->on_open();
  if (!destroyed && filled > 0 && target_ != nullptr) target_->on_bytes({scratch.data(), filled});
  if (destroyed) return;
  destroyed_ = nullptr;
  if (closed() || target_ == nullptr) return;
  if (over) return target_->on_read_closed();
  if (!broken_off) return;
  fail(base::Error{base::ErrorKind::kProtocol, base::Origin::kClient, false,
                   "read from " + peer_.to_string() + ": " + why});
}

void TlsTransport::on_eof() {
  if (handshake_ != nullptr) {
    base::Error error = handshake_error("the peer closed the connection");
    error.kind = base::ErrorKind::kClosed;
    return fail(std::move(error));
  }
  fail(base::Error{base::ErrorKind::kClosed, base::Origin::kClient, false,
                   "read from " + peer_.to_string() + ": closed without close_notify"});
}

// Makes one record, or several out of one large slice. Returns false when the session is broken.
bool TlsTransport::encrypt_some() {
  std::string_view bytes = plain_.front().bytes();
  if (bytes.size() < kRecord && bytes.size() < plain_.bytes()) {
    // Small neighbours share a record: head and body leave in one.
    std::array<iovec, 64> parts;
    const std::size_t count = plain_.gather(parts);
    std::size_t staged = 0;
    for (std::size_t i = 0; i < count && staged < kRecord; ++i) {
      const std::size_t size = std::min(parts[i].iov_len, kRecord - staged);
      std::memcpy(server_->staging.get() + staged, parts[i].iov_base, size);
      staged += size;
    }
    bytes = {server_->staging.get(), staged};
  }
  std::size_t taken = 0;
  ERR_clear_error();
  const std::size_t most = TlsWire::kBatch - std::min(TlsWire::kBatch, server_->wire.output_size());
  const std::size_t offered = std::min(bytes.size(), std::max(most, kRecord));
  if (SSL_write_ex(ssl_.get(), bytes.data(), offered, &taken) != 1) return false;
  plain_.consume(taken);
  return true;
}

bool TlsTransport::refill(bool finishing) {
  if (handshake_ != nullptr) {
    plain_.keep(worker_.buffers());
    return false;
  }
  while (!plain_.empty() && server_->wire.output_size() < TlsWire::kBatch) {
    if (encrypt_some()) continue;
    ERR_clear_error();
    plain_.clear();
    write_error_ = EPROTO;
    server_->wire.take_output();
    return false;
  }
  if (plain_.empty() && finishing && !notified_) {
    notified_ = true;
    SSL_shutdown(ssl_.get());
  }
  const std::string_view made = server_->wire.take_output();
  out_.push(worker::Slice::borrowed(made));
  return !made.empty();
}

}  // namespace

TlsServer::TlsServer(worker::Worker& worker, std::string_view plain_http_answer)
    : impl_(std::make_shared<Impl>(worker, plain_http_answer)) {}

TlsServer::~TlsServer() = default;

std::unique_ptr<Transport> TlsServer::accept(base::UniqueFd fd, const base::SocketAddress& peer,
                                             const CertificateChooser& chooser,
                                             base::Duration deadline) {
  return std::make_unique<TlsTransport>(impl_, std::move(fd), peer, chooser, deadline);
}

std::size_t TlsServer::contexts() const { return impl_->contexts.size(); }

std::uint64_t TlsServer::broken_certificates() const { return impl_->contexts.broken(); }

}  // namespace weir::transport
