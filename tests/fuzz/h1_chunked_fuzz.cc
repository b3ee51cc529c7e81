// The chunked decoder against a second, slow reading of the grammar, and against itself byte by
// byte.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/check.h"
#include "dataplane/codec/h1_chunked.h"

namespace {

using Decoder = weir::codec::ChunkedDecoder;

struct Decoded {
  std::string body;
  bool bad = false;
  bool last = false;
  std::size_t used = 0;
};

Decoded decode(std::string_view bytes, std::size_t step) {
  Decoded out;
  Decoder decoder;
  std::size_t end = 0;
  while (out.used < bytes.size()) {
    end = std::min(bytes.size(), std::max(end, out.used + step));
    const Decoder::Result r = decoder.next(bytes.substr(out.used, end - out.used));
    out.body += bytes.substr(out.used + r.skip, r.data);
    out.used += r.skip + r.data;
    WEIR_CHECK(out.used <= end);
    out.bad = r.step == Decoder::Step::kBad;
    out.last = r.step == Decoder::Step::kLast;
    if (out.bad || out.last) break;
  }
  return out;
}

// What is accepted must be "digits [;ext] CRLF data CRLF"* "0+ [;ext] CRLF", read by searching.
void check_accepted(std::string_view bytes, std::string_view body) {
  std::string again;
  for (;;) {
    const std::size_t line = bytes.find("\r\n");
    WEIR_CHECK(line != std::string_view::npos);
    const std::string digits(bytes.substr(0, std::min(line, bytes.find(';'))));
    WEIR_CHECK(!digits.empty() && digits.size() <= 16);
    WEIR_CHECK(digits.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos);
    WEIR_CHECK(bytes.substr(0, line).find_first_of(std::string_view("\r\n\0", 3)) ==
               std::string_view::npos);
    const std::size_t size = std::stoull(digits, nullptr, 16);
    bytes.remove_prefix(line + 2);
    if (size == 0) break;
    WEIR_CHECK(bytes.size() >= size + 2 && bytes.substr(size, 2) == "\r\n");
    again += bytes.substr(0, size);
    bytes.remove_prefix(size + 2);
  }
  WEIR_CHECK(bytes.empty() && again == body);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Decoded whole = decode(bytes, size + 1);
  const Decoded single = decode(bytes, 1);
  WEIR_CHECK(whole.body == single.body && whole.bad == single.bad && whole.last == single.last);
  if (whole.last) {
    WEIR_CHECK(whole.used == single.used);
    check_accepted(bytes.substr(0, whole.used), whole.body);
  }
  return 0;
}
