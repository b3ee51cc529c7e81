#include "e2e/harness/client.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cctype>

#include "common/base/text.h"

namespace weir::e2e {
namespace {

std::string fingerprint(X509* certificate) {
  unsigned char digest[32];
  unsigned int size = 0;
  std::string out;
  if (X509_digest(certificate, EVP_sha256(), digest, &size) != 1) return out;
  for (unsigned int i = 0; i < size; ++i) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    out += kDigits[digest[i] >> 4];
    out += kDigits[digest[i] & 15];
  }
  return out;
}

void read_head(std::string_view head, Answer& answer) {
  answer.status =
      std::atoi(std::string(head.substr(std::min<std::size_t>(9, head.size()))).c_str());
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos;) {
    const std::size_t end = head.find("\r\n", at + 2);
    const std::string_view line = head.substr(at + 2, end == head.npos ? end : end - at - 2);
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos) {
      std::string name(line.substr(0, colon));
      std::transform(name.begin(), name.end(), name.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      answer.fields[name] = std::string(base::trim(line.substr(colon + 1)));
    }
    at = end;
  }
}

}  // namespace

struct Client::Tls {
  ~Tls() {
    SSL_free(ssl);
    SSL_CTX_free(context);
  }
  SSL_CTX* context = nullptr;
  SSL* ssl = nullptr;
};

Client::Client(std::uint16_t port, std::string sni, std::string trust)
    : port_(port), sni_(std::move(sni)), trust_(std::move(trust)) {}
Client::~Client() = default;

bool Client::connect() {
  tls_.reset();
  in_.clear();
  fd_ = base::UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const timeval patience{10, 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port_);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fd_.reset();
    return false;
  }
  if (sni_.empty() || shake_hands()) return true;
  fd_.reset();
  return false;
}

bool Client::shake_hands() {
  tls_ = std::make_unique<Tls>();
  tls_->context = SSL_CTX_new(TLS_client_method());
  if (!trust_.empty()) {
    BIO* const text = BIO_new_mem_buf(trust_.data(), static_cast<int>(trust_.size()));
    X509* const authority = PEM_read_bio_X509(text, nullptr, nullptr, nullptr);
    BIO_free(text);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(tls_->context), authority);
    X509_free(authority);
    SSL_CTX_set_verify(tls_->context, SSL_VERIFY_PEER, nullptr);
  }
  tls_->ssl = SSL_new(tls_->context);
  SSL_set_fd(tls_->ssl, fd_.get());
  if (!trust_.empty()) SSL_set1_host(tls_->ssl, sni_.c_str());
  if (sni_ != "-") SSL_set_tlsext_host_name(tls_->ssl, sni_.c_str());
  return SSL_connect(tls_->ssl) == 1;
}

long Client::read(char* into, std::size_t size) {
  if (tls_ != nullptr) return SSL_read(tls_->ssl, into, static_cast<int>(size));
  return ::recv(fd_.get(), into, size, 0);
}

bool Client::write(const std::string& bytes) {
  if (tls_ != nullptr)
    return SSL_write(tls_->ssl, bytes.data(), static_cast<int>(bytes.size())) > 0;
  return ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(bytes.size());
}

bool Client::read_until(std::size_t size) {
  char chunk[16'384];
  while (in_.size() < size) {
    const long got = read(chunk, sizeof chunk);
    if (got <= 0) return false;
    in_.append(chunk, static_cast<std::size_t>(got));
  }
  return true;
}

Answer Client::ask(const Request& request) {
  Answer answer;
  if (!fd_.valid() && !connect()) return answer;
  if (tls_ != nullptr) {
    X509* peer = SSL_get1_peer_certificate(tls_->ssl);
    answer.certificate = fingerprint(peer);
    X509_free(peer);
  }
  bool complete = write(request.method + " " + request.target +
                        " HTTP/1.1\r\nHost: " + request.host + "\r\n" + request.fields + "\r\n");
  std::size_t end = std::string::npos;
  while (complete && (end = in_.find("\r\n\r\n")) == std::string::npos) {
    complete = read_until(in_.size() + 1);
  }
  if (complete) {
    Answer head;
    read_head(std::string_view(in_).substr(0, end), head);
    const auto length = head.fields.find("content-length");
    const std::size_t size =
        length == head.fields.end() ? 0 : std::strtoul(length->second.c_str(), nullptr, 10);
    complete = read_until(end + 4 + size);
    if (complete) {
      answer.status = head.status;
      answer.fields = std::move(head.fields);
      answer.body = in_.substr(end + 4, size);
      in_.erase(0, end + 4 + size);
    }
  }
  const auto connection = answer.fields.find("connection");
  if (!complete || (connection != answer.fields.end() && connection->second == "close")) {
    tls_.reset();
    fd_.reset();
  }
  return answer;
}

Answer ask(std::uint16_t port, const Request& request) { return Client(port).ask(request); }

std::string served_certificate(std::uint16_t port, const std::string& sni) {
  return Client(port, sni).ask({.host = sni}).certificate;
}

}  // namespace weir::e2e
