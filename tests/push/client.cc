#include "tests/push/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdlib>

#include "common/base/text.h"
#include "common/crypto/digest.h"
#include "tests/push/backend.h"

namespace weir::push {

struct TlsSession::Parts {
  SSL_SESSION* session = nullptr;
};
TlsSession::TlsSession() : parts(std::make_unique<Parts>()) {}
TlsSession::~TlsSession() { SSL_SESSION_free(parts->session); }

struct Client::Tls {
  ~Tls() {
    // Else OpenSSL takes the end for a failure and forbids to resume the session.
    if (ssl != nullptr) SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(ssl);
    SSL_CTX_free(context);
  }
  SSL_CTX* context = nullptr;
  SSL* ssl = nullptr;
};

namespace {

base::UniqueFd connect_to(const Door& door) {
  const bool v6 = door.address.find(':') != std::string::npos;
  base::UniqueFd fd(::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (door.receive_buffer > 0) {
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &door.receive_buffer, sizeof door.receive_buffer);
  }
  const timeval patience{kPatience.count() / 1'000, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(door.port);
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(door.port);
  ::inet_pton(v6 ? AF_INET6 : AF_INET, door.address.c_str(),
              v6 ? static_cast<void*>(&six.sin6_addr) : static_cast<void*>(&v4.sin_addr));
  const auto* address = v6 ? reinterpret_cast<sockaddr*>(&six) : reinterpret_cast<sockaddr*>(&v4);
  if (::connect(fd.get(), address, v6 ? sizeof six : sizeof v4) != 0) fd.reset();
  return fd;
}

int keep_ticket(SSL* ssl, SSL_SESSION* session) {
  auto* parts = static_cast<TlsSession::Parts*>(SSL_get_app_data(ssl));
  if (parts == nullptr) return 0;
  SSL_SESSION_free(parts->session);
  parts->session = session;
  return 1;  // the reference is ours
}

}  // namespace

std::string Answer::field(const std::string& name) const { return field_of(head, name); }

Client::Client(const Door& door, TlsSession* session) : fd_(connect_to(door)) {
  if (!fd_.valid() || !door.tls) return;
  tls_ = std::make_unique<Tls>();
  tls_->context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_session_cache_mode(tls_->context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(tls_->context, keep_ticket);
  tls_->ssl = SSL_new(tls_->context);
  SSL_set_fd(tls_->ssl, fd_.get());
  if (!door.sni.empty()) SSL_set_tlsext_host_name(tls_->ssl, door.sni.c_str());
  if (session != nullptr) {
    SSL_set_app_data(tls_->ssl, session->parts.get());
    if (session->parts->session != nullptr) SSL_set_session(tls_->ssl, session->parts->session);
  }
  if (SSL_connect(tls_->ssl) != 1) fd_.reset();
}

Client::~Client() = default;
Client::Client(Client&&) noexcept = default;

bool Client::resumed() const { return tls_ != nullptr && SSL_session_reused(tls_->ssl) == 1; }

std::string Client::certificate() const {
  X509* leaf = tls_ == nullptr ? nullptr : SSL_get1_peer_certificate(tls_->ssl);
  if (leaf == nullptr) return {};
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  X509_digest(leaf, EVP_sha256(), digest, &size);
  X509_free(leaf);
  return base::hex({reinterpret_cast<const char*>(digest), size});
}

void Client::send(std::string_view bytes) {
  while (!bytes.empty() && fd_.valid()) {
    const ssize_t put = tls_ ? SSL_write(tls_->ssl, bytes.data(), static_cast<int>(bytes.size()))
                             : ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (put <= 0) return;  // the answer, if any, is still to be read
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
}

void Client::finish_sending() { ::shutdown(fd_.get(), SHUT_WR); }

void Client::reset() {
  const linger at_once{1, 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  fd_.reset();
}

bool Client::read_more(Clock::time_point until) {
  if (!fd_.valid() || over_) return false;
  pollfd waiting{fd_.get(), POLLIN, 0};
  const bool pending = tls_ && SSL_pending(tls_->ssl) > 0;
  if (!pending && ::poll(&waiting, 1, millis_until(until)) <= 0) return false;
  char buffer[65'536];
  const ssize_t got = tls_ ? SSL_read(tls_->ssl, buffer, static_cast<int>(sizeof buffer))
                           : ::recv(fd_.get(), buffer, sizeof buffer, 0);
  over_ = got <= 0;
  if (got > 0) in_.append(buffer, static_cast<std::size_t>(got));
  return got > 0;
}

bool Client::read_chunks(std::string& body, Clock::time_point until) {
  while (true) {
    std::size_t line = in_.find("\r\n");
    while (line == std::string::npos) {
      if (!read_more(until)) return false;
      line = in_.find("\r\n");
    }
    const std::size_t size = std::strtoull(in_.c_str(), nullptr, 16);
    while (in_.size() < line + 2 + size + 2) {
      if (!read_more(until)) return false;
    }
    body += in_.substr(line + 2, size);
    in_.erase(0, line + 2 + size + 2);
    if (size == 0) return true;
  }
}

Answer Client::read(bool head, Millis most) {
  const Clock::time_point until = Clock::now() + most;
  Answer out;
  while (out.status < 200) {
    std::size_t end = in_.find("\r\n\r\n");
    while (end == std::string::npos) {
      if (!read_more(until)) return {};
      end = in_.find("\r\n\r\n");
    }
    out.head = in_.substr(0, end + 4);
    in_.erase(0, end + 4);
    out.status = std::atoi(out.head.c_str() + 9);
    if (out.status == 101) return out;
    if (out.status < 100) return {};
  }
  if (head || out.status == 204 || out.status == 304) return out;
  if (base::equals_ignore_case(out.field("Transfer-Encoding"), "chunked")) {
    if (!read_chunks(out.body, until)) out.status = 0;
    return out;
  }
  const std::size_t size = std::strtoull(out.field("Content-Length").c_str(), nullptr, 10);
  while (in_.size() < size) {
    if (!read_more(until)) return {};
  }
  out.body = in_.substr(0, size);
  in_.erase(0, size);
  return out;
}

Answer Client::get(const std::string& target, const std::string& host,
                   const std::string& more_fields) {
  send("GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n" + more_fields + "\r\n");
  return read();
}

bool Client::ends(Millis most) {
  const Clock::time_point until = Clock::now() + most;
  while (read_more(until)) {
  }
  return over_ || !fd_.valid();
}

Answer get(const Door& door, const std::string& target, const std::string& host,
           const std::string& more_fields) {
  return Client(door).get(target, host, more_fields);
}

}  // namespace weir::push
