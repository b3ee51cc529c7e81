#pragma once

// For files that wrap OpenSSL: its objects with owners, and texts in memory.

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <climits>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/check.h"

namespace weir::crypto {

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using BioPtr = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using X509Ptr = std::unique_ptr<X509, Deleter<X509_free>>;
using CrlPtr = std::unique_ptr<X509_CRL, Deleter<X509_CRL_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Pkcs8Ptr = std::unique_ptr<PKCS8_PRIV_KEY_INFO, Deleter<PKCS8_PRIV_KEY_INFO_free>>;
using BignumPtr = std::unique_ptr<BIGNUM, Deleter<BN_free>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, Deleter<GENERAL_NAMES_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>>;

// OpenSSL's error queue is per thread and outlives calls; a stale entry would be blamed on the
// next TLS operation.
struct ErrorQueueGuard {
  ErrorQueueGuard() { ERR_clear_error(); }
  ErrorQueueGuard(const ErrorQueueGuard&) = delete;
  ErrorQueueGuard& operator=(const ErrorQueueGuard&) = delete;
  ~ErrorQueueGuard() { ERR_clear_error(); }
};

// The text as OpenSSL's functions take it; borrowed.
inline const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// Null when it is no certificate, no revocation list in DER. The error queue may tell why.
inline X509Ptr parse_certificate(std::string_view der) {
  const unsigned char* at = bytes_of(der);
  return X509Ptr(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
}
inline CrlPtr parse_crl(std::string_view der) {
  const unsigned char* at = bytes_of(der);
  return CrlPtr(d2i_X509_CRL(nullptr, &at, static_cast<long>(der.size())));
}

// text: borrowed for the reader's life.
inline BioPtr reader_of(std::string_view text) {
  WEIR_CHECK(text.size() <= INT_MAX);
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

inline std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

// A password callback that refuses instead of asking on the terminal.
inline int no_password(char*, int, int, void*) { return -1; }

}  // namespace weir::crypto
