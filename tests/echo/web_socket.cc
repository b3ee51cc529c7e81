#include "common/base/text.h"
#include "common/crypto/digest.h"
#include "tests/echo/request.h"

namespace weir::echo {
namespace {

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t out = 0;
  for (const char c : bytes) out = out << 8 | static_cast<unsigned char>(c);
  return out;
}

}  // namespace

std::optional<WebSocketFrame> take_frame(std::string& bytes) {
  if (bytes.size() < 2) return std::nullopt;
  const auto second = static_cast<unsigned char>(bytes[1]);
  const std::size_t extra = (second & 0x7f) == 126 ? 2 : (second & 0x7f) == 127 ? 8 : 0;
  const std::size_t mask = (second & 0x80) != 0 ? 4 : 0;
  const std::size_t head = 2 + extra + mask;
  if (bytes.size() < head) return std::nullopt;
  const std::uint64_t size =
      extra == 0 ? second & 0x7fU : big_endian(std::string_view(bytes).substr(2, extra));
  if (bytes.size() - head < size) return std::nullopt;
  WebSocketFrame out;
  out.first_byte = static_cast<unsigned char>(bytes[0]);
  out.payload = bytes.substr(head, size);
  for (std::size_t i = 0; mask != 0 && i < out.payload.size(); ++i) {
    out.payload[i] = static_cast<char>(out.payload[i] ^ bytes[2 + extra + i % 4]);
  }
  bytes.erase(0, head + size);
  return out;
}

std::string encode_frame(const WebSocketFrame& frame) {
  std::string out(1, static_cast<char>(frame.first_byte));
  const std::uint64_t size = frame.payload.size();
  const int extra = size < 126 ? 0 : size < 65'536 ? 2 : 8;
  out += static_cast<char>(extra == 0 ? size : extra == 2 ? 126U : 127U);
  for (int shift = extra * 8 - 8; shift >= 0; shift -= 8) out += static_cast<char>(size >> shift);
  return out + frame.payload;
}

std::string accept_key(const std::string& key) {
  return base::base64_encode(crypto::sha1(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
}

}  // namespace weir::echo
