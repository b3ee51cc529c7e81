#include "dataplane/codec/h1_scan.h"

#include <array>
#include <cstdint>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace weir::codec {
namespace {

enum Class : std::uint8_t {
  kToken = 1,
  kTarget = 2,
  kRegName = 4,
  kControl = 8,
};

constexpr bool is_alnum(unsigned c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> classes{};
  for (unsigned c = 0; c < 256; ++c) {
    unsigned bits = 0;
    const auto in = [c](std::string_view set) {
      return set.find(static_cast<char>(c)) != std::string_view::npos;
    };
    if (is_alnum(c) || in("!#$%&'*+-.^_`|~")) bits |= kToken;
    if (c > 0x20 && c < 0x7f && c != '#') bits |= kTarget;
    if (is_alnum(c) || in("-._~")) bits |= kRegName;
    if ((c < 0x20 && c != '\t') || c == 0x7f) bits |= kControl;
    classes[c] = static_cast<std::uint8_t>(bits);
  }
  return classes;
}
constexpr std::array<std::uint8_t, 256> kClasses = make_classes();

bool is_in(char c, Class wanted) { return (kClasses[static_cast<unsigned char>(c)] & wanted) != 0; }

}  // namespace

bool is_token_char(char c) { return is_in(c, kToken); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_target_char(char c) { return is_in(c, kTarget); }
bool is_reg_name_char(char c) { return is_in(c, kRegName); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool is_token(std::string_view text) {
  for (const char c : text) {
    if (!is_token_char(c)) return false;
  }
  return !text.empty();
}

bool same_name(std::string_view name, std::string_view lower_name) {
  if (name.size() != lower_name.size()) return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (lower(name[i]) != lower_name[i]) return false;
  }
  return true;
}

std::size_t find_control(std::string_view text) {
  std::size_t at = 0;
#ifdef __SSE2__
  const __m128i highest_control = _mm_set1_epi8(0x1f);
  const __m128i tab = _mm_set1_epi8('\t');
  const __m128i del = _mm_set1_epi8(0x7f);
  for (; at + 16 <= text.size(); at += 16) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
    // Unsigned "at most 0x1f": SSE2 has no unsigned comparison, but an unsigned minimum.
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(block, highest_control), block);
    const __m128i bad =
        _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(block, tab), low), _mm_cmpeq_epi8(block, del));
    const unsigned mask = static_cast<unsigned>(_mm_movemask_epi8(bad));
    if (mask != 0) return at + static_cast<std::size_t>(__builtin_ctz(mask));
  }
#endif
  while (at < text.size() && !is_in(text[at], kControl)) ++at;
  return at;
}

}  // namespace weir::codec
