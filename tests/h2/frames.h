#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::h2 {

// HTTP/2 frames by hand (RFC 9113 section 4.1).
enum Type : std::uint8_t {
  kData,
  kHeaders,
  kPriority,
  kRstStream,
  kSettings,
  kPushPromise,
  kPing,
  kGoaway,
  kWindowUpdate,
  kContinuation
};
inline constexpr std::uint8_t kEndStream = 1;
inline constexpr std::uint8_t kAck = 1;
inline constexpr std::uint8_t kEndHeaders = 4;
inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

inline std::string number(std::uint32_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i) & 0xff);
  return out;
}

inline std::string frame(Type type, std::uint8_t flags, std::uint32_t stream,
                         std::string_view payload = {}) {
  std::string out = number(static_cast<std::uint32_t>(payload.size()), 3);
  out += static_cast<char>(type);
  out += static_cast<char>(flags);
  return out + number(stream, 4) + std::string(payload);
}

inline std::string settings(std::uint16_t id, std::uint32_t value) {
  return frame(kSettings, 0, 0, number(id, 2) + number(value, 4));
}
inline std::string window_update(std::uint32_t stream, std::uint32_t by) {
  return frame(kWindowUpdate, 0, stream, number(by, 4));
}
inline std::string reset(std::uint32_t stream, std::uint32_t code) {
  return frame(kRstStream, 0, stream, number(code, 4));
}
inline std::string ping(bool ack = false) {
  return frame(kPing, ack ? kAck : std::uint8_t{0}, 0, "12345678");
}
// What a client sends first.
inline std::string opening() { return std::string(kPreface) + frame(kSettings, 0, 0); }

// A string of HPACK without Huffman coding (RFC 7541 section 5.2), an integer with a prefix of
// `bits`.
inline std::string hpack_int(std::size_t value, int bits, std::uint8_t first = 0) {
  const std::size_t most = (std::size_t{1} << bits) - 1;
  std::string out;
  if (value < most) return out += static_cast<char>(first | value), out;
  out += static_cast<char>(first | most);
  for (value -= most; value >= 128; value >>= 7) out += static_cast<char>(value % 128 + 128);
  return out += static_cast<char>(value), out;
}
inline std::string hpack_text(std::string_view text) {
  return hpack_int(text.size(), 7) + std::string(text);
}
// A field: literal, not indexed. indexed: into the dynamic table.
inline std::string field(std::string_view name, std::string_view value, bool indexed = false) {
  return std::string(1, indexed ? '\x40' : '\x00') + hpack_text(name) + hpack_text(value);
}
// The entry of that place in static and dynamic table; 62 is the newest dynamic one.
inline std::string hpack_index(std::size_t at) { return hpack_int(at, 7, 0x80); }

using Fields = std::vector<std::pair<std::string, std::string>>;

inline std::string block(const Fields& fields) {
  std::string out;
  for (const auto& [name, value] : fields) out += field(name, value);
  return out;
}
inline Fields get(std::string_view path = "/", std::string_view authority = "a.test") {
  return {{":method", "GET"},
          {":scheme", "http"},
          {":path", std::string(path)},
          {":authority", std::string(authority)}};
}
inline std::string headers(std::uint32_t stream, const Fields& fields, bool ends = true) {
  const auto flags = static_cast<std::uint8_t>(kEndHeaders | (ends ? kEndStream : 0));
  return frame(kHeaders, flags, stream, block(fields));
}

// One frame of a byte stream.
struct Frame {
  std::uint8_t type = 0;
  std::uint8_t flags = 0;
  std::uint32_t stream = 0;
  std::string payload;
  std::uint32_t word(std::size_t at) const {
    std::uint32_t out = 0;
    for (std::size_t i = at; i < at + 4 && i < payload.size(); ++i) {
      out = out << 8 | static_cast<unsigned char>(payload[i]);
    }
    return out;
  }
};

// The whole frames of a byte stream.
inline std::vector<Frame> split(std::string_view bytes) {
  std::vector<Frame> out;
  while (bytes.size() >= 9) {
    const auto at = [&bytes](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    const std::size_t size =
        static_cast<std::size_t>(at(0)) << 16 | static_cast<std::size_t>(at(1)) << 8 | at(2);
    if (bytes.size() < 9 + size) break;
    Frame frame{at(3), at(4), 0, std::string(bytes.substr(9, size))};
    frame.stream = static_cast<std::uint32_t>(at(5) & 0x7f) << 24 |
                   static_cast<std::uint32_t>(at(6)) << 16 |
                   static_cast<std::uint32_t>(at(7)) << 8 | at(8);
    out.push_back(std::move(frame));
    bytes.remove_prefix(9 + size);
  }
  return out;
}

}  // namespace weir::h2
