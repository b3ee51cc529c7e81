#include "tests/attack/tls_backend.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>

namespace weir::attack {
namespace {

constexpr std::string_view kPlain =
    "HTTP/1.1 200 OK\r\nContent-Length: 8\r\nX-From: clear\r\n\r\ninjected";

int accept_any(int, X509_STORE_CTX*) { return 1; }

std::string common_name(SSL* ssl) {
  X509* peer = SSL_get0_peer_certificate(ssl);
  if (peer == nullptr) return "";
  char name[128] = "";
  X509_NAME_get_text_by_NID(X509_get_subject_name(peer), NID_commonName, name, sizeof name);
  return name;
}

std::string answer(SSL* ssl, const std::string& head, bool keep_alive) {
  const char* sni = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  const std::string body = head + "sni=" + (sni == nullptr ? "" : sni) +
                           "\nclient=" + common_name(ssl) +
                           "\nresumed=" + (SSL_session_reused(ssl) == 1 ? "yes" : "no") + "\n";
  return "HTTP/1.1 200 OK\r\nX-From: tls\r\nContent-Length: " + std::to_string(body.size()) +
         (keep_alive ? "" : "\r\nConnection: close") + "\r\n\r\n" + body;
}

}  // namespace

TlsBackend::TlsBackend(const BackendAsk& ask) : ask_(ask) {
  std::signal(SIGPIPE, SIG_IGN);  // its client may be gone when OpenSSL writes
  context_ = SSL_CTX_new(TLS_server_method());
  if (ask.certificate != nullptr) {
    SSL_CTX_use_certificate(context_, ask.certificate->x509());
    SSL_CTX_use_PrivateKey(context_, ask.certificate->key());
    for (const Identity* link : ask.links) SSL_CTX_add1_chain_cert(context_, link->x509());
  }
  if (ask.wants_certificate) SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, &accept_any);
  if (ask.version != 0) {
    SSL_CTX_set_min_proto_version(context_, ask.version);
    SSL_CTX_set_max_proto_version(context_, ask.version);
  }
  const unsigned char id = 1;
  SSL_CTX_set_session_id_context(context_, &id, 1);
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  if (bind(listener_, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) abort();
  if (listen(listener_, 64) != 0) abort();
  if (getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size) != 0) abort();
  port_ = ntohs(at.sin_port);
  thread_ = std::thread([this] { run(); });
}

TlsBackend::~TlsBackend() {
  stop_ = true;
  thread_.join();
  close(listener_);
  SSL_CTX_free(context_);
}

std::string TlsBackend::clear_bytes() const {
  const std::lock_guard lock(mutex_);
  return clear_;
}

void TlsBackend::run() {
  while (!stop_) {
    pollfd ready{listener_, POLLIN, 0};
    if (poll(&ready, 1, 20) != 1) continue;
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    ++accepted_;
    serve(fd);
    close(fd);
  }
}

void TlsBackend::serve(int fd) {
  const timeval bound{0, 100'000};  // so that the end of the test is noticed
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
  const bool plain =
      ask_.greeting == Greeting::kPlainAnswer || ask_.greeting == Greeting::kPlainFirst;
  if (plain && send(fd, kPlain.data(), kPlain.size(), MSG_NOSIGNAL) < 0) return;
  if (ask_.greeting == Greeting::kPlainAnswer || ask_.greeting == Greeting::kSilent) {
    return listen_clear(fd);
  }
  serve_tls(fd);
}

void TlsBackend::listen_clear(int fd) {
  char buffer[4096];
  while (!stop_) {
    const ssize_t got = recv(fd, buffer, sizeof buffer, 0);
    if (got == 0 || (got < 0 && errno != EAGAIN)) return;
    if (got < 0) continue;
    const std::lock_guard lock(mutex_);
    clear_.append(buffer, static_cast<std::size_t>(got));
  }
}

void TlsBackend::serve_tls(int fd) {
  SSL* ssl = SSL_new(context_);
  SSL_set_fd(ssl, fd);
  const auto again = [&](int outcome) {
    return !stop_ && outcome <= 0 && SSL_get_error(ssl, outcome) == SSL_ERROR_WANT_READ;
  };
  int outcome = SSL_accept(ssl);
  while (again(outcome)) outcome = SSL_accept(ssl);
  if (outcome == 1) ++handshakes_;
  std::string in;
  char buffer[4096];
  while (outcome > 0) {
    outcome = SSL_read(ssl, buffer, sizeof buffer);
    while (again(outcome)) outcome = SSL_read(ssl, buffer, sizeof buffer);
    if (outcome <= 0) break;
    in.append(buffer, static_cast<std::size_t>(outcome));
    const std::size_t end = in.find("\r\n\r\n");
    if (end == std::string::npos) continue;
    ++requests_;
    const std::string out = answer(ssl, in.substr(0, end + 2), ask_.keep_alive);
    in.erase(0, end + 4);
    SSL_write(ssl, out.data(), static_cast<int>(out.size()));
    if (!ask_.keep_alive) break;
  }
  SSL_shutdown(ssl);
  ERR_clear_error();
  SSL_free(ssl);
}

}  // namespace weir::attack
