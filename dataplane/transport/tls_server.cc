#include <openssl/err.h>
#include <openssl/ssl.h>

#include <utility>

#include "common/base/text.h"
#include "dataplane/transport/client_hello.h"
#include "dataplane/transport/factory.h"
#include "dataplane/transport/handshake_turns.h"
#include "dataplane/transport/tls_contexts.h"
#include "dataplane/transport/tls_transport.h"

namespace weir::transport {
namespace {

constexpr std::size_t kMostKept = 20 * 1024;  // of a ClientHello; longer ones OpenSSL gathers

}  // namespace

struct TlsServer::Impl {
  Impl(worker::Worker& owner, std::string_view answer) : worker(owner), plain_http_answer(answer) {}

  worker::Worker& worker;
  const std::string_view plain_http_answer;
  TlsContexts contexts;
  std::shared_ptr<TlsScratch> scratch = std::make_shared<TlsScratch>();
  HandshakeTurns turns{worker.loop()};
};

namespace {

class TlsServerTransport final : public TlsTransport {
 public:
  TlsServerTransport(std::shared_ptr<TlsServer::Impl> server, base::UniqueFd fd,
                     const base::SocketAddress& peer, const CertificateChooser& chooser,
                     base::Duration deadline)
      : TlsTransport(server->worker, server->scratch, peer, base::Origin::kClient),
        server_(std::move(server)),
        handshake_(std::make_unique<Handshake>(*this, chooser, deadline)) {
    watch(std::move(fd), State::kOpen);
  }

 private:
  // What only a handshake needs.
  struct Handshake final : TlsHandshake, loop::TimerTarget, HandshakeTurns::Waiter {
    Handshake(TlsServerTransport& transport, const CertificateChooser& certificates,
              base::Duration deadline)
        : owner(transport),
          chooses(certificates),
          patience(deadline),
          timer(transport.worker_.loop().timers(), *this) {
      timer.arm(transport.worker_.loop().now() + deadline);
    }
    ~Handshake() override {
      if (turn == Turn::kWaits) owner.server_->turns.leave(*this);
    }
    void on_server_name(std::string_view name) override { owner.server_name_ = name; }
    const CertificateChooser& chooser() const override { return chooses; }
    void on_no_certificate() override { no_certificate = true; }
    void on_client_policy(ClientPolicyPtr asked) override { policy = std::move(asked); }
    void on_timer() override { owner.handshake_too_slow(); }
    void on_turn() override {
      turn = Turn::kCame;
      owner.resume_reading();
    }
    // The ClientHello's alone: what comes behind it costs little.
    bool take_turn() {
      if (turn != Turn::kNone) return turn == Turn::kCame;
      turn = owner.server_->turns.take(*this) ? Turn::kCame : Turn::kWaits;
      if (turn == Turn::kWaits) owner.stop_reading();
      return turn == Turn::kCame;
    }

    enum class Turn : std::uint8_t { kNone, kWaits, kCame };

    TlsServerTransport& owner;
    const CertificateChooser& chooses;
    const base::Duration patience;
    loop::Timer timer;
    ClientPolicyPtr policy;
    std::string begun;  // of a ClientHello that came in pieces; freed behind it
    bool has_hello = false;
    bool no_certificate = false;
    Turn turn = Turn::kNone;
  };

  bool may_receive() override { return handshake_ == nullptr || handshake_->take_turn(); }
  void on_connected() override {}

  // A session weighs 14 KiB, and OpenSSL's buffers for a message 32 KiB from its first byte on: it
  // sees a ClientHello when that is whole, and a client that never sends one costs a socket.
  bool admit(std::string_view& bytes) override {
    std::string& begun = handshake_->begun;
    if (handshake_->has_hello) {
      base::give_back(begun);
      return true;
    }
    if (begun.empty() && judge_opening(bytes) == Opening::kPlainHttp) {
      refuse_plain_http();
      return false;
    }
    if (!begun.empty()) bytes = begun.append(bytes);
    handshake_->has_hello = bytes.size() > kMostKept || hello_size(bytes) <= bytes.size();
    if (handshake_->has_hello) {
      begin_session(SslPtr(SSL_new(server_->contexts.start())));
      SSL_set_accept_state(ssl());
    } else if (begun.empty()) {
      begun = bytes;
    }
    return handshake_->has_hello;
  }
  int drive_handshake() override {
    server_->contexts.set_current(handshake_.get());
    const int done = SSL_do_handshake(ssl());
    server_->contexts.set_current(nullptr);
    return done;
  }
  std::string handshake_failure() override {
    if (handshake_->no_certificate) return "no certificate for '" + server_name_ + "'";
    return openssl_reason();
  }
  void on_handshake_done() override {
    const ClientPolicyPtr policy = std::move(handshake_->policy);
    handshake_.reset();
    if (policy == nullptr) return;
    client_ = std::make_unique<const ClientCertificate>(read_client_certificate(ssl(), policy));
    facts_.client = client_.get();
  }

  void handshake_too_slow() {
    const auto millis =
        std::chrono::duration_cast<std::chrono::milliseconds>(handshake_->patience).count();
    base::Error error = handshake_error("not done after " + std::to_string(millis) + " ms");
    error.kind = base::ErrorKind::kTimeout;
    fail(std::move(error));
  }

  void refuse_plain_http() {
    TransportTarget* target = target_;
    if (!server_->plain_http_answer.empty()) {
      out_.push(worker_.buffers().copy(server_->plain_http_answer));
    }
    close_when_flushed(Farewell::kLinger);
    if (target != nullptr) {
      target->on_closed(handshake_error("plain HTTP request sent to TLS port"));
    }
  }

  const std::shared_ptr<TlsServer::Impl> server_;
  std::unique_ptr<Handshake> handshake_;             // null once it is done
  std::unique_ptr<const ClientCertificate> client_;  // null: none was asked for
};

}  // namespace

TlsServer::TlsServer(worker::Worker& worker, std::string_view plain_http_answer)
    : impl_(std::make_shared<Impl>(worker, plain_http_answer)) {}

TlsServer::~TlsServer() = default;

std::unique_ptr<Transport> TlsServer::accept(base::UniqueFd fd, const base::SocketAddress& peer,
                                             const CertificateChooser& chooser,
                                             base::Duration deadline) {
  return std::make_unique<TlsServerTransport>(impl_, std::move(fd), peer, chooser, deadline);
}

int TlsServer::room_for_newcomers() const { return impl_->turns.left(); }

std::size_t TlsServer::contexts() const { return impl_->contexts.size(); }

void TlsServer::trim() { impl_->contexts.trim(); }

std::uint64_t TlsServer::broken_certificates() const { return impl_->contexts.broken(); }

}  // namespace weir::transport
