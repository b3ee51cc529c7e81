#include "common/crypto/trust_bundle.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "common/crypto/openssl_ptr.h"
#include "common/crypto/pem_blocks.h"

namespace weir::crypto {
namespace {

constexpr std::size_t kMostInBundle = 1024;
constexpr std::size_t kMostCrls = 128;
constexpr std::size_t kMostBytes = 768 * 1024;  // a resource of the socket has a limit of 1 MiB

bool is_certificate(const std::string& der) { return parse_certificate(der) != nullptr; }

bool is_crl(const std::string& der) { return parse_crl(der) != nullptr; }

base::Result<std::vector<std::string>> check(std::string_view what, std::vector<PemBlock> blocks,
                                             bool (*good)(const std::string&), std::size_t most) {
  if (blocks.empty()) return base::invalid(std::string(what) + ": none found; accepted: PEM");
  if (blocks.size() > most) {
    return base::invalid(std::string(what) + ": " + std::to_string(blocks.size()) +
                         " blocks; accepted: at most " + std::to_string(most));
  }
  std::vector<std::string> out;
  for (PemBlock& block : blocks) {
    const bool ok = good(block.der);
    ERR_clear_error();
    if (!ok) {
      return base::invalid(std::string(what) + ": PEM block " + std::to_string(block.number) +
                           ": its content is not of that type");
    }
    out.push_back(std::move(block.der));
  }
  return out;
}

}  // namespace

base::Result<TrustBundle> parse_trust_bundle(std::string_view ca_pem,
                                             std::optional<std::string_view> crl_pem) {
  constexpr std::string_view kCertificates = "ca.crt: certificates";
  constexpr std::string_view kCrls = "ca.crl: revocation lists";
  TrustBundle out;
  auto blocks = read_pem_blocks(ca_pem, kCertificates, {PEM_STRING_X509, PEM_STRING_X509_OLD});
  if (!blocks.ok()) return std::move(blocks).error();
  auto certificates =
      check(kCertificates, std::move(blocks).value(), &is_certificate, kMostInBundle);
  if (!certificates.ok()) return std::move(certificates).error();
  out.certificates = std::move(certificates).value();
  if (crl_pem) {
    auto lists = read_pem_blocks(*crl_pem, kCrls, {PEM_STRING_X509_CRL});
    if (!lists.ok()) return std::move(lists).error();
    auto crls = check(kCrls, std::move(lists).value(), &is_crl, kMostCrls);
    if (!crls.ok()) return std::move(crls).error();
    out.crls = std::move(crls).value();
  }
  std::size_t bytes = 0;
  for (const std::string& der : out.certificates) bytes += der.size();
  for (const std::string& der : out.crls) bytes += der.size();
  if (bytes <= kMostBytes) return out;
  return base::invalid("ca.crt: " + std::to_string(bytes) +
                       " bytes with ca.crl; accepted: at most " + std::to_string(kMostBytes));
}

}  // namespace weir::crypto
