#pragma once

// TLS for the null proxies, with OpenSSL as cheap as it goes: one ticket, AES-128 first, X25519, no
// chain to complete, memory BIOs so that one recv and one send move any number of records. None of
// Weir's code.

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

inline int choose_h2(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in,
                     unsigned in_size, void*) {
  for (unsigned at = 0; at + 1 < in_size; at += in[at] + 1U) {
    if (in[at] == 2 && in[at + 1] == 'h' && in[at + 2] == '2') {
      *out = in + at + 1;
      *size = 2;
      return SSL_TLSEXT_ERR_OK;
    }
  }
  return SSL_TLSEXT_ERR_NOACK;
}

inline SSL_CTX* make_context(const char* cert, const char* key) {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  if (SSL_CTX_use_certificate_chain_file(context, cert) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) {
    ERR_print_errors_fp(stderr);
    std::exit(1);
  }
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384");
  SSL_CTX_set1_groups_list(context, "X25519:P-256");
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(
      context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_NO_AUTO_CHAIN);
  return context;
}

// One TLS session between memory BIOs.
class TlsPipe {
 public:
  explicit TlsPipe(SSL_CTX* context) : ssl_(SSL_new(context)) {
    BIO* in = BIO_new(BIO_s_mem());
    BIO* out = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(in, -1);
    SSL_set_bio(ssl_, in, out);
    SSL_set_accept_state(ssl_);
  }
  TlsPipe(const TlsPipe&) = delete;
  TlsPipe& operator=(const TlsPipe&) = delete;
  ~TlsPipe() { SSL_free(ssl_); }

  // Bytes of the wire in; decrypted ones are put behind plain. False when the session is broken.
  bool feed(const char* bytes, std::size_t size, std::vector<char>& plain) {
    BIO_write(SSL_get_rbio(ssl_), bytes, static_cast<int>(size));
    if (!SSL_is_init_finished(ssl_)) {
      const int step = SSL_do_handshake(ssl_);
      if (step != 1 && SSL_get_error(ssl_, step) != SSL_ERROR_WANT_READ) return false;
      if (step != 1) return true;
    }
    for (;;) {
      const std::size_t at = plain.size();
      plain.resize(at + kRecord);
      const int got = SSL_read(ssl_, plain.data() + at, kRecord);
      plain.resize(at + static_cast<std::size_t>(got > 0 ? got : 0));
      if (got <= 0) return SSL_get_error(ssl_, got) == SSL_ERROR_WANT_READ;
    }
  }
  bool open() const { return SSL_is_init_finished(ssl_) == 1; }
  void write(const char* bytes, std::size_t size) {
    while (size > 0) {
      const int put = SSL_write(ssl_, bytes, static_cast<int>(size));
      if (put <= 0) return;
      bytes += put;
      size -= static_cast<std::size_t>(put);
    }
  }
  // What is to be sent; sent() drops it.
  std::string_view out() const {
    char* data = nullptr;
    const long size = BIO_get_mem_data(SSL_get_wbio(ssl_), &data);
    return {data, static_cast<std::size_t>(size)};
  }
  void sent(std::size_t bytes) {
    if (bytes == out().size()) {
      BIO_reset(SSL_get_wbio(ssl_));
      return;
    }
    std::vector<char> gone(bytes);
    BIO_read(SSL_get_wbio(ssl_), gone.data(), static_cast<int>(bytes));
  }

 private:
  static constexpr int kRecord = 16 * 1024;
  SSL* ssl_;
};

}  // namespace bench
