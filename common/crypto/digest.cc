#include "common/crypto/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "common/base/check.h"

namespace weir::crypto {
namespace {

std::string digest_of(std::string_view bytes, const EVP_MD* kind) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned size = 0;
  WEIR_CHECK(EVP_Digest(bytes.data(), bytes.size(), out.data(), &size, kind, nullptr) == 1);
  return std::string(reinterpret_cast<const char*>(out.data()), size);
}

// EVP_sha256() is looked up among the providers at every use of it, which costs more than the
// digest of a small resource; what is fetched is not (provider(7), "Explicit fetching"). Kept for
// the process's life.
const EVP_MD* fetched_sha256() {
  static const EVP_MD* const kind = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  WEIR_CHECK(kind != nullptr);
  return kind;
}

}  // namespace

struct Sha256::Context {
  EVP_MD_CTX* evp = EVP_MD_CTX_new();
  Context() = default;
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { EVP_MD_CTX_free(evp); }
  void start() { WEIR_CHECK(EVP_DigestInit_ex(evp, fetched_sha256(), nullptr) == 1); }
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

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
  std::string out(32, '\0');
  const auto* result = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                            reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                            reinterpret_cast<unsigned char*>(out.data()), nullptr);
  WEIR_CHECK(result != nullptr);
  return out;
}

std::string sha1(std::string_view bytes) { return digest_of(bytes, EVP_sha1()); }

std::string md5(std::string_view bytes) { return digest_of(bytes, EVP_md5()); }

bool equals_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace weir::crypto
