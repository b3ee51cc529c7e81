#include "common/crypto/digest.h"

#include <openssl/evp.h>

#include <array>

#include "common/base/check.h"

namespace weir::crypto {

struct Sha256::Context {
  EVP_MD_CTX* evp = EVP_MD_CTX_new();
  Context() = default;
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { EVP_MD_CTX_free(evp); }
  void start() { WEIR_CHECK(EVP_DigestInit_ex(evp, EVP_sha256(), nullptr) == 1); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) { context_->start(); }
Sha256::~Sha256() = default;

void Sha256::add(std::string_view bytes) {
  WEIR_CHECK(EVP_DigestUpdate(context_->evp, bytes.data(), bytes.size()) == 1);
}

std::string Sha256::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned size = 0;
  WEIR_CHECK(EVP_DigestFinal_ex(context_->evp, out.data(), &size) == 1);
  context_->start();
  return std::string(reinterpret_cast<const char*>(out.data()), size);
}

std::string sha256(std::string_view bytes) {
  Sha256 digest;
  digest.add(bytes);
  return digest.finish();
}

}  // namespace weir::crypto
