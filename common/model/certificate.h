#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/fields.h"

namespace weir::model {

using base::field;

// A certificate chain with its key. The controller has checked that the key matches; the dataplane
// parses the bytes at first use. Blobs (raw, beside the JSON): the chain's certificates in DER,
// leaf first, then the private key in DER (PKCS#8) as the last.
struct Certificate {
  std::string name;                // "namespace/name" of the Secret, or "default"
  std::vector<std::string> names;  // DNS names the leaf covers
  std::int64_t not_after = 0;      // seconds since the epoch
  std::string fingerprint;         // SHA-256 of the leaf, hex
  std::string key_type;            // "ec", "rsa", "ed25519": how the key blob is to be parsed
  bool operator==(const Certificate&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("name", &Certificate::name), field("names", &Certificate::names),
              field("not_after", &Certificate::not_after),
              field("fingerprint", &Certificate::fingerprint),
              field("key_type", &Certificate::key_type));
  }
};

// Session ticket keys, shared by all replicas. Blobs: one of 80 bytes per key (16 name, 32 HMAC, 32
// AES), the current one first; the others only open tickets.
struct TicketKeys {
  std::string name = "default";
  std::uint32_t count = 0;
  bool operator==(const TicketKeys&) const = default;
  static constexpr auto fields(auto&& to) {
    return to(field("name", &TicketKeys::name), field("count", &TicketKeys::count));
  }
};

}  // namespace weir::model
