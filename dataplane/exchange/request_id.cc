#include "dataplane/exchange/request_id.h"

#include <sys/random.h>

#include <algorithm>
#include <cstring>

#include "common/base/check.h"
#include "common/base/hash.h"

namespace weir::exchange {

RequestIds::RequestIds() {
  std::array<std::uint64_t, 2> seed{};
  WEIR_CHECK(getrandom(seed.data(), sizeof seed, 0) == static_cast<ssize_t>(sizeof seed));
  high_ = seed[0];
  low_ = seed[1] | 1;
}

namespace {

// Eight hexadecimal digits, lowest nibble first, a byte each.
std::uint64_t hex_digits(std::uint32_t bits) {
  std::uint64_t nibbles = bits;
  nibbles = (nibbles | nibbles << 16) & 0x0000'ffff'0000'ffffULL;
  nibbles = (nibbles | nibbles << 8) & 0x00ff'00ff'00ff'00ffULL;
  nibbles = (nibbles | nibbles << 4) & 0x0f0f'0f0f'0f0f'0f0fULL;
  const std::uint64_t letters =
      (nibbles + 0x0606'0606'0606'0606ULL) >> 4 & 0x0101'0101'0101'0101ULL;
  return nibbles + 0x3030'3030'3030'3030ULL + letters * ('a' - '0' - 10);
}

}  // namespace

// A Weyl sequence, mixed: every value of the counter gives another id.
std::uint64_t RequestIds::next_word() {
  high_ += 0x9e3779b97f4a7c15ULL;
  return base::mix64(high_ ^ low_, 0xe7037ed1a0b428dbULL ^ high_);
}

std::array<char, 32> RequestIds::next() {
  std::array<char, 32> out{};
  for (std::size_t half = 0; half < 2; ++half) {
    const std::uint64_t word = next_word();
    const std::array<std::uint64_t, 2> digits{hex_digits(static_cast<std::uint32_t>(word)),
                                              hex_digits(static_cast<std::uint32_t>(word >> 32))};
    std::memcpy(out.data() + half * sizeof digits, digits.data(), sizeof digits);
  }
  return out;
}

bool is_request_id(std::string_view text) {
  constexpr std::string_view kMarks = "-_.:/+=@";
  const auto legal = [kMarks](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kMarks.find(c) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= 128 && std::all_of(text.begin(), text.end(), legal);
}

}  // namespace weir::exchange
