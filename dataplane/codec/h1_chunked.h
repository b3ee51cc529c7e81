#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dataplane/codec/h1_refusal.h"

namespace weir::codec {

// Decoder of the chunked coding up to its last chunk (RFC 9112 section 7.1); the trailer section
// behind it is for HeadParser. Strict: 1 to 16 hexadecimal digits, directly followed by CRLF or
// ';'; CRLF and nothing else behind size and data. Extensions are skipped: at most kExtensionBytes
// a chunk and kAllExtensionBytes a message.
class ChunkedDecoder {
 public:
  static constexpr int kMostDigits = 16;
  static constexpr std::size_t kExtensionBytes = 256;
  static constexpr std::size_t kAllExtensionBytes = 16 * 1024;

  enum class Step : std::uint8_t { kNeedMore, kData, kLast, kBad };
  struct Result {
    Step step;
    std::size_t skip;  // framing bytes to drop
    std::size_t data;  // of kData: bytes of body behind them, > 0
  };

  void start() { *this = ChunkedDecoder(); }
  // The next step that bytes allow; the caller drops skip and data before it calls again.
  Result next(std::string_view bytes);
  const Refusal& refusal() const { return refusal_; }

 private:
  enum class State : std::uint8_t { kSize, kExtension, kSizeLf, kData, kDataCr, kDataLf, kLast };

  bool read(char c);
  bool read_size(char c);
  bool read_extension(char c);
  bool fail(std::string_view text);

  std::uint64_t left_ = 0;  // of the chunk
  std::size_t extension_ = 0;
  std::size_t all_extensions_ = 0;
  int digits_ = 0;
  State state_ = State::kSize;
  Refusal refusal_;
};

// Writes the size line "hex CRLF" of a chunk into out, which has room for kSizeLine bytes; returns
// its length.
inline constexpr std::size_t kSizeLine = 18;
std::size_t write_chunk_size(std::uint64_t size, char* out);

}  // namespace weir::codec
