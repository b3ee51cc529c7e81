#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/epoll.h>

#include <cerrno>
#include <utility>

#include "dataplane/transport/dial.h"
#include "dataplane/transport/factory.h"
#include "dataplane/transport/tls_sessions.h"
#include "dataplane/transport/tls_transport.h"

namespace weir::transport {

struct TlsClient::Impl {
  explicit Impl(worker::Worker& owner) : worker(owner) {}
  worker::Worker& worker;
  ClientContexts contexts;
  std::shared_ptr<TlsScratch> scratch = std::make_shared<TlsScratch>();
};

namespace {

class TlsClientTransport final : public TlsTransport, public loop::TimerTarget {
 public:
  TlsClientTransport(std::shared_ptr<TlsClient::Impl> client, const base::SocketAddress& to,
                     base::Duration timeout, const UpstreamPolicyPtr& policy,
                     ClientContexts::Made made)
      : TlsTransport(client->worker, client->scratch, to, base::Origin::kUpstream),
        client_(std::move(client)),
        peer_side_{client_->contexts, policy, policy->id + " " + to.to_string()},
        broken_(std::move(made.broken)),
        timeout_(timeout),
        timer_(worker_.loop().timers(), *this) {
    begin_session(std::move(made.ssl));
    client_->contexts.attach(ssl(), peer_side_);
    begin();
  }
  // A session that was not ended properly would be marked as not resumable.
  ~TlsClientTransport() override {
    SSL_set_shutdown(ssl(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  }

  void on_timer() override {
    if (!broken_.empty()) {
      base::Error error = handshake_error(broken_);
      error.kind = base::ErrorKind::kInvalid;
      error.origin = base::Origin::kConfig;
      error.retryable = false;
      return fail(std::move(error));
    }
    if (refused_ != 0) return fail(connect_error(refused_));
    const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(timeout_).count();
    const std::string late = "timed out after " + std::to_string(millis) + " ms";
    base::Error error = connect_error(ETIMEDOUT);
    error.text =
        connected_ ? handshake_error(late).text : "connect " + peer_.to_string() + ": " + late;
    fail(std::move(error));
  }

 private:
  void begin() {
    state_ = State::kConnecting;
    if (!broken_.empty()) return timer_.arm(worker_.loop().now());
    Dialed dialed = dial(peer_);
    refused_ = dialed.error == EINPROGRESS ? 0 : dialed.error;
    timer_.arm(worker_.loop().now() + (refused_ == 0 ? timeout_ : base::Duration::zero()));
    if (!dialed.fd.valid()) return;
    const bool pending = dialed.error == EINPROGRESS;
    watch(std::move(dialed.fd), pending ? State::kConnecting : State::kOpening);
    if (!pending) schedule(false);
  }

  void on_connecting_event(std::uint32_t events) override {
    if (const int error = dial_error(fd_.get(), events); error != 0) {
      return fail(connect_error(error));
    }
    if ((events & EPOLLOUT) != 0) connected();
  }

  void on_connected() override {
    connected_ = true;
    begin_handshake();
  }

  bool admit(std::string_view&) override { return true; }
  int drive_handshake() override { return SSL_do_handshake(ssl()); }

  std::string handshake_failure() override {
    const long verdict = SSL_get_verify_result(ssl());
    std::string why = openssl_reason();
    if (verdict == X509_V_OK || !peer_side_.policy->verify) return why;
    return "the certificate is refused: " + std::string(X509_verify_cert_error_string(verdict));
  }
  void on_handshake_done() override {
    timer_.cancel();
    server_name_ = peer_side_.policy->server_name;
    facts_.server_name = server_name_;
    client_->contexts.keep(ssl(), peer_side_);
  }

  base::Error connect_error(int errno_value) const {
    base::Error error = broken("connect", errno_value);
    error.retryable = true;
    return error;
  }

  const std::shared_ptr<TlsClient::Impl> client_;
  UpstreamPeer peer_side_;
  const std::string broken_;  // not empty: the policy cannot be honoured
  const base::Duration timeout_;
  loop::Timer timer_;  // until the handshake is done
  int refused_ = 0;    // errno of a connect that failed at once
  bool connected_ = false;
};

}  // namespace

TlsClient::TlsClient(worker::Worker& worker) : impl_(std::make_shared<Impl>(worker)) {}

TlsClient::~TlsClient() = default;

std::unique_ptr<Transport> TlsClient::connect(const base::SocketAddress& to,
                                              base::Duration connect_timeout,
                                              UpstreamPolicyPtr policy) {
  return std::make_unique<TlsClientTransport>(impl_, to, connect_timeout, policy,
                                              impl_->contexts.make(*policy));
}

void TlsClient::trim() { impl_->contexts.trim(); }

std::size_t TlsClient::sessions() const { return impl_->contexts.sessions(); }

}  // namespace weir::transport
