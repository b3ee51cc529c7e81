#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace weir::transport {

struct SessionFree {
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using SessionPtr = std::unique_ptr<SSL_SESSION, SessionFree>;

struct TlsAsk {
  std::string name;                  // SNI; empty: none
  int version = 0;                   // TLS1_2_VERSION …; 0: any
  std::string alpn;                  // as on the wire
  SSL_SESSION* session = nullptr;    // to resume
  const char* signatures = nullptr;  // "RSA-PSS+SHA256"
  std::string send = "ping";
  std::size_t expect = 4;  // bytes to read back
  bool close_notify = true;
  bool wait_for_end = false;  // read until the server closes
};
struct TlsGot {
  bool ok = false;  // the handshake
  std::string error;
  std::string version;
  std::string cipher;
  std::string group;
  std::string alpn;
  std::string subject_alt;  // the leaf's serial, hex: tells certificates apart
  bool resumed = false;
  bool clean_end = false;  // close_notify came
  std::string answer;
  SessionPtr session;
};

// A TLS client on a blocking, connected socket: handshake, send, read back, close.
inline TlsGot run_tls_client(int fd, const TlsAsk& ask) {
  TlsGot got;
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL* ssl = SSL_new(context);
  SSL_set_fd(ssl, fd);
  if (ask.version != 0) {
    SSL_set_min_proto_version(ssl, ask.version);
    SSL_set_max_proto_version(ssl, ask.version);
  }
  if (!ask.name.empty()) SSL_set_tlsext_host_name(ssl, ask.name.c_str());
  if (ask.signatures != nullptr) SSL_set1_sigalgs_list(ssl, ask.signatures);
  if (ask.session != nullptr) SSL_set_session(ssl, ask.session);
  if (!ask.alpn.empty()) {
    SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(ask.alpn.data()),
                        static_cast<unsigned>(ask.alpn.size()));
  }
  got.ok = SSL_connect(ssl) == 1;
  if (got.ok) {
    got.version = SSL_get_version(ssl);
    got.cipher = SSL_get_cipher_name(ssl);
    const unsigned char* alpn = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl, &alpn, &size);
    got.alpn.assign(reinterpret_cast<const char*>(alpn), size);
    got.resumed = SSL_session_reused(ssl) == 1;
    if (const auto nid = SSL_get_negotiated_group(ssl); nid > 0)
      got.group = OBJ_nid2sn(static_cast<int>(nid));
    if (X509* leaf = SSL_get1_peer_certificate(ssl); leaf != nullptr) {
      BIGNUM* number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(leaf), nullptr);
      char* hex = BN_bn2hex(number);
      got.subject_alt = hex;
      OPENSSL_free(hex);
      BN_free(number);
      X509_free(leaf);
    }
    if (!ask.send.empty()) SSL_write(ssl, ask.send.data(), static_cast<int>(ask.send.size()));
    std::string buffer(65'536, '\0');
    while (got.answer.size() < ask.expect || ask.wait_for_end) {
      const int n = SSL_read(ssl, buffer.data(), static_cast<int>(buffer.size()));
      if (n <= 0) {
        got.clean_end = SSL_get_error(ssl, n) == SSL_ERROR_ZERO_RETURN;
        break;
      }
      got.answer.append(buffer.data(), static_cast<std::size_t>(n));
    }
    got.session.reset(SSL_get1_session(ssl));
    if (ask.close_notify) SSL_shutdown(ssl);
  } else if (const unsigned long code = ERR_get_error(); code != 0) {
    got.error = ERR_reason_error_string(code);
  }
  ERR_clear_error();
  SSL_free(ssl);
  SSL_CTX_free(context);
  return got;
}

}  // namespace weir::transport
