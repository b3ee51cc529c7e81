#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace weir::crypto {

// A chain and its private key, parsed once to check them and turned into DER. Any thread.
struct KeyPair {
  std::vector<std::string> chain;  // DER, leaf first
  std::string key;                 // DER, PKCS#8
  std::string key_type;            // "ec", "rsa", "ed25519"
  std::vector<std::string>
      names;  // DNS names of the SAN, lower case; the CN only when there is no SAN
  std::int64_t not_before = 0;  // seconds since the epoch
  std::int64_t not_after = 0;
  std::string fingerprint;  // SHA-256 of the leaf, hex
  std::string serial;       // hex
  std::string issuer;       // one line
};

// PEM as a kubernetes.io/tls Secret holds it: certificates leaf first (another order is refused;
// the rest of the chain is sent as it stands, at most 32 in all), one unencrypted key. Other PEM
// blocks are passed over. Validity times are reported, not judged.
//   errors: kInvalid: no certificate, unreadable PEM (names the block), no key, a key of another
//   type than EC, Ed25519 or RSA of 2,048 bits and more, a key that does not match the leaf.
base::Result<KeyPair> parse_key_pair(std::string_view certificates_pem, std::string_view key_pem);

// True when one of names covers host: equal, or "*.x" for exactly one label. host in lower case.
bool covers(const std::vector<std::string>& names, std::string_view host);

struct PemPair {
  std::string certificate;
  std::string key;
};
// A fresh P-256 key (PKCS#8) and a self-signed server certificate for these DNS names (at least
// one), valid from an hour before
// now for `days`.
PemPair make_self_signed(const std::vector<std::string>& names, std::int64_t now_seconds, int days);

// size cryptographically strong bytes.
std::string random_bytes(std::size_t size);

// Keeps a secret out of memory dumps: overwrites every byte that the string owns and empties it.
void wipe(std::string& secret);

}  // namespace weir::crypto
