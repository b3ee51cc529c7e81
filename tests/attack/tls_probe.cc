#include "tests/attack/tls_probe.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>

#include "common/base/text.h"

namespace weir::attack {
namespace {

int dial(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval bound{20, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof bound);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0) return fd;
  close(fd);
  return -1;
}

struct Offer {
  const ProbeAsk* ask;
  bool* was_asked;
};

int offer_certificate(SSL* ssl, void* argument) {
  const auto& offer = *static_cast<Offer*>(argument);
  *offer.was_asked = true;
  if (offer.ask->certificate == nullptr) return 1;
  SSL_use_certificate(ssl, offer.ask->certificate->x509());
  SSL_use_PrivateKey(ssl, offer.ask->certificate->key());
  for (const Identity* link : offer.ask->links) SSL_add1_chain_cert(ssl, link->x509());
  return 1;
}

}  // namespace

std::string ProbeAnswer::field(const std::string& name) const {
  for (const std::string_view line : base::split(head, '\n')) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    if (base::equals_ignore_case(line.substr(0, colon), name))
      return std::string(base::trim(line.substr(colon + 1)));
  }
  return {};
}

Probe::Probe(const ProbeAsk& ask)
    : fd_(dial(ask.port)), context_(SSL_CTX_new(TLS_client_method())) {
  SSL_CTX_set_security_level(context_, 0);
  Offer offer{&ask, &was_asked_};
  SSL_CTX_set_cert_cb(context_, &offer_certificate, &offer);
  SSL_CTX_set_mode(context_, SSL_MODE_AUTO_RETRY);
  ssl_ = SSL_new(context_);
  SSL_set_fd(ssl_, fd_);
  if (ask.version != 0) {
    SSL_set_min_proto_version(ssl_, ask.version);
    SSL_set_max_proto_version(ssl_, ask.version);
  }
  if (!ask.sni.empty()) SSL_set_tlsext_host_name(ssl_, ask.sni.c_str());
  if (ask.session != nullptr) SSL_set_session(ssl_, ask.session.get());
  if (!ask.alpn.empty()) {
    SSL_set_alpn_protos(ssl_, reinterpret_cast<const unsigned char*>(ask.alpn.data()),
                        static_cast<unsigned>(ask.alpn.size()));
  }
  ERR_clear_error();
  if (!ask.early.empty()) {
    std::size_t written = 0;
    SSL_write_early_data(ssl_, ask.early.data(), ask.early.size(), &written);
  }
  open_ = fd_ >= 0 && SSL_connect(ssl_) == 1;
  if (!open_) {
    const char* reason = ERR_reason_error_string(ERR_get_error());
    error_ = reason == nullptr ? "closed" : reason;
  }
  SSL_set_cert_cb(ssl_, nullptr, nullptr);
  ERR_clear_error();
}

Probe::~Probe() {
  SSL_set_shutdown(ssl_, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);  // keeps its session good
  SSL_free(ssl_);
  SSL_CTX_free(context_);
  if (fd_ >= 0) close(fd_);
}

bool Probe::resumed() const { return SSL_session_reused(ssl_) == 1; }

bool Probe::early_was_taken() const {
  return SSL_get_early_data_status(ssl_) == SSL_EARLY_DATA_ACCEPTED;
}

std::string Probe::alpn() const {
  const unsigned char* data = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_, &data, &size);
  return {reinterpret_cast<const char*>(data), size};
}

SessionPtr Probe::session() const {
  return SessionPtr(SSL_get1_session(ssl_), [](SSL_SESSION* one) { SSL_SESSION_free(one); });
}

ProbeAnswer Probe::get(const std::string& host, const std::string& target,
                       const std::string& more_fields) {
  ProbeAnswer out;
  if (!open_) return out;
  const std::string request =
      "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n" + more_fields + "\r\n";
  if (SSL_write(ssl_, request.data(), static_cast<int>(request.size())) <= 0) return out;
  std::string in;
  std::string buffer(16'384, '\0');
  std::size_t whole = std::string::npos;
  while (in.size() < whole) {
    const int got = SSL_read(ssl_, buffer.data(), static_cast<int>(buffer.size()));
    if (got <= 0) return out;
    in.append(buffer.data(), static_cast<std::size_t>(got));
    const std::size_t end = in.find("\r\n\r\n");
    if (whole != std::string::npos || end == std::string::npos) continue;
    out.head = in.substr(0, end + 2);
    whole = end + 4 + static_cast<std::size_t>(std::atoi(out.field("Content-Length").c_str()));
  }
  std::from_chars(out.head.data() + 9, out.head.data() + 12, out.status);
  out.body = in.substr(out.head.size() + 2);
  return out;
}

}  // namespace weir::attack
