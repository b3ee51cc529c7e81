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

}  // namespace weir::crypto
