#include "common/crypto/pem_blocks.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <climits>

#include "common/crypto/openssl_ptr.h"

namespace weir::crypto {
namespace {

// What one block holds; frees what OpenSSL allocated.
struct RawBlock {
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  RawBlock() = default;
  RawBlock(const RawBlock&) = delete;
  RawBlock& operator=(const RawBlock&) = delete;
  ~RawBlock() {
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, data == nullptr ? 0 : static_cast<std::size_t>(size));
  }
};

}  // namespace

base::Result<std::vector<PemBlock>> read_pem_blocks(std::string_view pem, std::string_view what,
                                                    std::initializer_list<std::string_view> names) {
  if (pem.size() > INT_MAX) return base::invalid(std::string(what) + ": over 2 GiB");
  std::vector<PemBlock> out;
  const BioPtr bio = reader_of(pem);
  for (std::size_t number = 1;; ++number) {
    ERR_clear_error();
    RawBlock block;
    if (PEM_read_bio(bio.get(), &block.name, &block.header, &block.data, &block.size) != 1) {
      const unsigned long code = ERR_peek_last_error();
      ERR_clear_error();
      if (ERR_GET_REASON(code) == PEM_R_NO_START_LINE) return out;
      const char* reason = ERR_reason_error_string(code);
      return base::invalid(std::string(what) + ": PEM block " + std::to_string(number) + ": " +
                           (reason == nullptr ? "not readable" : reason));
    }
    const std::string_view name = block.name;
    if (std::find(names.begin(), names.end(), name) == names.end()) continue;
    const auto* data = reinterpret_cast<const char*>(block.data);
    out.push_back({number, std::string(data, static_cast<std::size_t>(block.size))});
  }
}

}  // namespace weir::crypto
