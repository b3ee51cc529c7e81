#include "dataplane/exchange/request_id.h"

#include <sys/random.h>

#include <algorithm>

#include "common/base/check.h"
#include "common/base/hash.h"

namespace weir::exchange {

RequestIds::RequestIds() {
  std::array<std::uint64_t, 2> seed{};
  WEIR_CHECK(getrandom(seed.data(), sizeof seed, 0) == static_cast<ssize_t>(sizeof seed));
  high_ = seed[0];
  low_ = seed[1] | 1;
}

// A Weyl sequence, mixed: every value of the counter gives another id.
std::uint64_t RequestIds::next_word() {
  high_ += 0x9e3779b97f4a7c15ULL;
  return base::mix64(high_ ^ low_, 0xe7037ed1a0b428dbULL ^ high_);
}

std::array<char, 32> RequestIds::next() {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<char, 32> out{};
  for (std::size_t half = 0; half < 2; ++half) {
    std::uint64_t word = next_word();
    for (std::size_t i = 0; i < 16; ++i, word >>= 4) out[half * 16 + i] = kDigits[word & 15];
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
