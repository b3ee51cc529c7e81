#include "dataplane/codec/h1_scan.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace weir::codec {

bool is_token(std::string_view text) {
  for (const char c : text) {
    if (!is_token_char(c)) return false;
  }
  return !text.empty();
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
  while (at < text.size() && !is_control_char(text[at])) ++at;
  return at;
}

}  // namespace weir::codec
