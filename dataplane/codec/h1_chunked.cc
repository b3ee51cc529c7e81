#include "dataplane/codec/h1_chunked.h"

#include <algorithm>

#include "common/base/text.h"
#include "dataplane/codec/h1_scan.h"

namespace weir::codec {

ChunkedDecoder::Result ChunkedDecoder::next(std::string_view bytes) {
  std::size_t at = 0;
  while (state_ != State::kData && state_ != State::kLast) {
    if (at == bytes.size()) return {Step::kNeedMore, at, 0};
    if (!read(bytes[at++])) return {Step::kBad, at, 0};
  }
  if (state_ == State::kLast) return {Step::kLast, at, 0};
  const auto here = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size() - at));
  if (here == 0) return {Step::kNeedMore, at, 0};
  left_ -= here;
  if (left_ == 0) state_ = State::kDataCr;
  return {Step::kData, at, here};
}

bool ChunkedDecoder::read(char c) {
  switch (state_) {
    case State::kSize:
      return read_size(c);
    case State::kExtension:
      return read_extension(c);
    case State::kSizeLf:
      if (c != '\n') return fail("chunk: a CR without LF behind the size");
      state_ = left_ == 0 ? State::kLast : State::kData;
      return true;
    case State::kDataCr:
      if (c != '\r') return fail("chunk: no CRLF behind the data");
      state_ = State::kDataLf;
      return true;
    case State::kDataLf:
      if (c != '\n') return fail("chunk: no CRLF behind the data");
      state_ = State::kSize;
      digits_ = 0;
      extension_ = 0;
      return true;
    case State::kData:
    case State::kLast:
      break;
  }
  return true;
}

bool ChunkedDecoder::read_size(char c) {
  const int digit = base::hex_value(c);
  if (digit >= 0) {
    // 2^63 and above would overflow sums elsewhere, and no chunk is that long.
    if (digits_ == kMostDigits || left_ >> 59 != 0) return fail("chunk: the size is too long");
    left_ = left_ << 4 | static_cast<std::uint64_t>(digit);
    ++digits_;
    return true;
  }
  if (digits_ == 0) return fail("chunk: no hexadecimal size");
  if (c != '\r' && c != ';') return fail("chunk: a byte that is no hexadecimal digit in the size");
  state_ = c == ';' ? State::kExtension : State::kSizeLf;
  return true;
}

bool ChunkedDecoder::read_extension(char c) {
  if (c == '\r') {
    state_ = State::kSizeLf;
    return true;
  }
  if (find_control(std::string_view(&c, 1)) == 0) return fail("chunk: a control byte");
  if (++extension_ > kExtensionBytes || ++all_extensions_ > kAllExtensionBytes) {
    return fail("chunk: extensions are too long");
  }
  return true;
}

bool ChunkedDecoder::fail(std::string_view text) {
  refusal_ = {400, text};
  return false;
}

std::size_t write_chunk_size(std::uint64_t size, char* out) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::size_t digits = 1;
  while (digits < 16 && size >> (4 * digits) != 0) ++digits;
  for (std::size_t i = 0; i < digits; ++i) {
    out[i] = kDigits[size >> (4 * (digits - 1 - i)) & 0xf];
  }
  out[digits] = '\r';
  out[digits + 1] = '\n';
  return digits + 2;
}

}  // namespace weir::codec
