#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace weir::crypto {

// SHA-256 over parts (FIPS 180-4), by OpenSSL. One thread per object.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void add(std::string_view bytes);
  std::string finish();  // 32 raw bytes; the object starts afresh after it

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

// 32 raw bytes.
std::string sha256(std::string_view bytes);

// HMAC-SHA256 (RFC 2104), 32 raw bytes.
std::string hmac_sha256(std::string_view key, std::string_view bytes);

// Only for reading what others have written (htpasswd files): neither is fit for anything new.
std::string sha1(std::string_view bytes);  // 20 raw bytes
std::string md5(std::string_view bytes);   // 16 raw bytes

// Compares without telling by its time where the first difference is. Sizes are no secret.
bool equals_constant_time(std::string_view a, std::string_view b);

}  // namespace weir::crypto
