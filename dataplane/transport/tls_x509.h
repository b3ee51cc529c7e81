#pragma once

#include <openssl/x509.h>

#include <memory>
#include <string_view>

namespace weir::transport {

struct X509Free {
  void operator()(X509* x509) const { X509_free(x509); }
};
using X509Ptr = std::unique_ptr<X509, X509Free>;

// The text as OpenSSL's functions take it; borrowed.
inline const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// Null when it is no certificate in DER.
inline X509Ptr parse_certificate(std::string_view der) {
  const unsigned char* at = bytes_of(der);
  return X509Ptr(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
}

}  // namespace weir::transport
