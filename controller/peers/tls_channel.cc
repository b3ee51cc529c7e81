#include "controller/peers/tls_channel.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "common/crypto/openssl_ptr.h"

namespace weir::peers {
namespace {

constexpr int kReadsPerTurn = 16;

using crypto::BioPtr;
using crypto::KeyPtr;
using crypto::reader_of;
using crypto::X509Ptr;

X509Ptr next_certificate(BIO* pem) {
  return X509Ptr(PEM_read_bio_X509(pem, nullptr, crypto::no_password, nullptr));
}

bool set_own(SSL_CTX* context, const crypto::PemPair& own) {
  const X509Ptr certificate = next_certificate(reader_of(own.certificate).get());
  const KeyPtr key(
      PEM_read_bio_PrivateKey(reader_of(own.key).get(), nullptr, crypto::no_password, nullptr));
  return certificate != nullptr && key != nullptr &&
         SSL_CTX_use_certificate(context, certificate.get()) == 1 &&
         SSL_CTX_use_PrivateKey(context, key.get()) == 1 && SSL_CTX_check_private_key(context) == 1;
}

bool set_trusted(SSL_CTX* context, const std::string& trusted) {
  const BioPtr pem = reader_of(trusted);
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  int count = 0;
  while (const X509Ptr certificate = next_certificate(pem.get())) {
    if (X509_STORE_add_cert(store, certificate.get()) != 1) return false;
    ++count;
  }
  return count > 0;
}

// Of the other end, client or server: OpenSSL checks names of both alike.
bool demand_peer(SSL_CTX* context) {
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  X509_VERIFY_PARAM* const parameters = SSL_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_hostflags(
      parameters, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_WILDCARDS);
  return X509_VERIFY_PARAM_set1_host(parameters, kPeerName, std::strlen(kPeerName)) == 1;
}

std::string openssl_reason(const char* otherwise) {
  const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return reason == nullptr ? otherwise : reason;
}

}  // namespace

struct TlsContext::Impl {
  std::unique_ptr<SSL_CTX, crypto::Deleter<SSL_CTX_free>> context;
};

TlsContext::TlsContext(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsContext::~TlsContext() = default;

base::Result<std::shared_ptr<const TlsContext>> TlsContext::make(const crypto::PemPair& own,
                                                                 const std::string& trusted) {
  ERR_clear_error();
  auto impl = std::make_unique<Impl>();
  impl->context.reset(SSL_CTX_new(TLS_method()));
  SSL_CTX* const context = impl->context.get();
  const bool good = context != nullptr &&
                    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 &&
                    SSL_CTX_set_num_tickets(context, 0) == 1 && demand_peer(context);
  if (!good) return base::invalid("TLS: " + openssl_reason("no context"));
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (!set_own(context, own))
    return base::invalid("TLS: own certificate: " + openssl_reason("not usable"));
  if (!set_trusted(context, trusted))
    return base::invalid("TLS: authorities: " + openssl_reason("none"));
  ERR_clear_error();  // the end of the PEM text is one
  return std::shared_ptr<const TlsContext>(new TlsContext(std::move(impl)));
}

struct TlsChannel::Session {
  std::unique_ptr<SSL, crypto::Deleter<SSL_free>> ssl;
};

TlsChannel::TlsChannel(loop::Loop& loop, base::UniqueFd socket,
                       std::shared_ptr<const TlsContext> context, End end, ChannelTarget& target)
    : loop_(loop),
      socket_(std::move(socket)),
      context_(std::move(context)),
      target_(target),
      session_(std::make_unique<Session>()) {
  session_->ssl.reset(SSL_new(context_->impl_->context.get()));
  SSL* const ssl = session_->ssl.get();
  WEIR_CHECK(ssl != nullptr && SSL_set_fd(ssl, socket_.get()) == 1);
  if (end == End::kClient) {
    WEIR_CHECK(SSL_set_tlsext_host_name(ssl, kPeerName) == 1);
    SSL_set_connect_state(ssl);
  } else {
    SSL_set_accept_state(ssl);
  }
  token_ = loop_.add(socket_.get(), *this, EPOLLIN | EPOLLOUT);
}

TlsChannel::~TlsChannel() {
  loop_.remove(token_);
  if (state_ == State::kOpen) SSL_shutdown(session_->ssl.get());  // says so, and does not wait
  ERR_clear_error();
}

void TlsChannel::on_io(std::uint32_t) {
  if (state_ == State::kHandshake) shake_hands();
  if (state_ == State::kOpen && !drained()) write();
  if (state_ == State::kOpen) read();
}

void TlsChannel::shake_hands() {
  ERR_clear_error();
  errno = 0;
  if (!check(SSL_do_handshake(session_->ssl.get()), "handshake")) return;
  state_ = State::kOpen;
  loop_.modify(token_, EPOLLIN);
  target_.on_open();
}

bool TlsChannel::check(int result, const char* what) {
  if (result > 0) return true;
  const int saved = errno;
  switch (SSL_get_error(session_->ssl.get(), result)) {
    case SSL_ERROR_WANT_READ:
      loop_.modify(token_, drained() ? EPOLLIN : EPOLLIN | EPOLLOUT);
      return false;
    case SSL_ERROR_WANT_WRITE:
      loop_.modify(token_, EPOLLIN | EPOLLOUT);
      return false;
    case SSL_ERROR_ZERO_RETURN:
      close("closed by the other end");
      return false;
    case SSL_ERROR_SYSCALL:
      ERR_clear_error();
      close(std::string(what) + ": " + (saved == 0 ? "connection ended" : std::strerror(saved)));
      return false;
    default:
      break;
  }
  const long verdict = SSL_get_verify_result(session_->ssl.get());
  const std::string reason = openssl_reason("failed");
  close(std::string(what) + ": " + reason +
        (verdict == X509_V_OK ? "" : std::string(": ") + X509_verify_cert_error_string(verdict)));
  return false;
}

void TlsChannel::read() {
  std::array<char, 16 * 1024> buffer;
  for (int i = 0; i < kReadsPerTurn; ++i) {
    ERR_clear_error();
    errno = 0;
    const int got = SSL_read(session_->ssl.get(), buffer.data(), static_cast<int>(buffer.size()));
    if (got <= 0) {
      check(got, "read");
      return;
    }
    in_.append(buffer.data(), static_cast<std::size_t>(got));
    if (!take_lines()) return;
  }
  // Level-triggered for the kernel's bytes; what OpenSSL holds back is asked for here.
  if (SSL_pending(session_->ssl.get()) > 0) loop_.modify(token_, EPOLLIN | EPOLLOUT);
}

bool TlsChannel::take_lines() {
  std::size_t from = 0;
  for (std::size_t end; (end = in_.find('\n', from)) != std::string::npos; from = end + 1)
    target_.on_line(std::string_view(in_).substr(from, end - from));
  in_.erase(0, from);
  if (in_.size() <= kMostLine) return true;
  close("a line of more than 1 MiB");
  return false;
}

void TlsChannel::send(std::string text) {
  WEIR_CHECK(is_open() && drained());
  out_ = std::move(text);
  out_sent_ = 0;
  loop_.modify(token_, EPOLLIN | EPOLLOUT);  // from the loop, so that no caller meets on_closed
}

void TlsChannel::write() {
  while (!drained()) {
    ERR_clear_error();
    errno = 0;
    const int wrote = SSL_write(session_->ssl.get(), out_.data() + out_sent_,
                                static_cast<int>(out_.size() - out_sent_));
    if (!check(wrote, "write")) return;
    out_sent_ += static_cast<std::size_t>(wrote);
  }
  loop_.modify(token_, EPOLLIN);
  target_.on_drained();
}

void TlsChannel::close(const std::string& reason) {
  state_ = State::kClosed;
  loop_.remove(token_);
  token_ = {};
  socket_.reset();
  target_.on_closed(reason);
}

}  // namespace weir::peers
