#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace weir::base {

// 64-bit hash for our own tables, seeded once per process so that a client cannot aim at one
// bucket. Not stable between processes: never put it on the wire (digests there come from
// common/crypto). Any thread.
std::uint64_t process_seed();

inline std::uint64_t mix64(std::uint64_t a, std::uint64_t b) {
  const unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

inline std::uint64_t hash_bytes(std::string_view bytes, std::uint64_t seed) {
  constexpr std::uint64_t kA = 0xa0761d6478bd642fULL;
  constexpr std::uint64_t kB = 0xe7037ed1a0b428dbULL;
  std::uint64_t h = seed ^ kA ^ bytes.size();
  const char* p = bytes.data();
  std::size_t left = bytes.size();
  while (left >= 16) {
    std::uint64_t a;
    std::uint64_t b;
    std::memcpy(&a, p, 8);
    std::memcpy(&b, p + 8, 8);
    h = mix64(a ^ kB, b ^ h);
    p += 16;
    left -= 16;
  }
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  if (left > 8) {
    std::memcpy(&a, p, 8);
    std::memcpy(&b, p + 8, left - 8);
  } else if (left > 0) {
    std::memcpy(&a, p, left);
  }
  return mix64(a ^ kA, mix64(b ^ kB, h ^ kA));
}

inline std::uint64_t hash_bytes(std::string_view bytes) {
  return hash_bytes(bytes, process_seed());
}

}  // namespace weir::base
