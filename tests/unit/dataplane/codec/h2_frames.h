#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::codec {

// HTTP/2 frames by hand (RFC 9113 section 4), so that a test can send what no library would.

inline std::string number(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>((value >> (8 * i)) & 0xff);
  return out;
}

inline std::string frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                         std::string_view payload = {}) {
  return number(payload.size(), 3) + number(type, 1) + number(flags, 1) + number(stream, 4) +
         std::string(payload);
}

inline std::string settings(
    std::initializer_list<std::pair<std::uint16_t, std::uint32_t>> entries = {}) {
  std::string payload;
  for (const auto& [id, value] : entries) payload += number(id, 2) + number(value, 4);
  return frame(NGHTTP2_SETTINGS, 0, 0, payload);
}

// A string as HPACK writes it (RFC 7541 section 5.2), without Huffman code.
inline std::string hpack_text(std::string_view text) {
  std::string out;
  std::size_t rest = text.size();
  if (rest < 127) {
    out += static_cast<char>(rest);
  } else {
    out += '\x7f';
    for (rest -= 127; rest >= 128; rest /= 128) out += static_cast<char>(rest % 128 + 128);
    out += static_cast<char>(rest);
  }
  return out + std::string(text);
}

using Fields = std::vector<std::pair<std::string, std::string>>;

// Literal fields without indexing.
inline std::string headers(std::uint32_t stream, const Fields& fields, bool ends = false) {
  std::string block;
  for (const auto& [name, value] : fields) {
    block += '\0';
    block += hpack_text(name) + hpack_text(value);
  }
  const int flags = NGHTTP2_FLAG_END_HEADERS | (ends ? NGHTTP2_FLAG_END_STREAM : 0);
  return frame(NGHTTP2_HEADERS, static_cast<std::uint8_t>(flags), stream, block);
}

inline std::string data(std::uint32_t stream, std::string_view bytes, bool ends = false) {
  return frame(NGHTTP2_DATA, ends ? NGHTTP2_FLAG_END_STREAM : 0, stream, bytes);
}

inline std::string reset(std::uint32_t stream, std::uint32_t code) {
  return frame(NGHTTP2_RST_STREAM, 0, stream, number(code, 4));
}

inline std::string goaway(std::uint32_t last, std::uint32_t code = NGHTTP2_NO_ERROR) {
  return frame(NGHTTP2_GOAWAY, 0, 0, number(last, 4) + number(code, 4));
}

inline std::string window_update(std::uint32_t stream, std::uint32_t bytes) {
  return frame(NGHTTP2_WINDOW_UPDATE, 0, stream, number(bytes, 4));
}

// What a client has written, one line a frame: "HEADERS 1 end | :method: GET | ...",
// "DATA 1 abc", "RST_STREAM 1 8", "GOAWAY 11", "PING ack". Its preface, SETTINGS and
// WINDOW_UPDATE are left out.
class FrameReader {
 public:
  FrameReader() { nghttp2_hd_inflate_new(&inflater_); }
  FrameReader(const FrameReader&) = delete;
  FrameReader& operator=(const FrameReader&) = delete;
  ~FrameReader() { nghttp2_hd_inflate_del(inflater_); }

  // Takes the bytes out of wire.
  std::vector<std::string> read(std::string& wire) {
    bytes_ += std::exchange(wire, {});
    constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    if (bytes_.starts_with(kPreface)) bytes_.erase(0, kPreface.size());
    std::vector<std::string> lines;
    while (bytes_.size() >= 9) {
      const std::size_t size = get(0, 3);
      if (bytes_.size() < 9 + size) break;
      std::string line = one(bytes_.substr(9, size));
      if (!line.empty()) lines.push_back(std::move(line));
      bytes_.erase(0, 9 + size);
    }
    return lines;
  }

 private:
  std::size_t get(std::size_t at, std::size_t size) const { return get(bytes_, at, size); }
  static std::size_t get(std::string_view from, std::size_t at, std::size_t size) {
    std::size_t out = 0;
    for (std::size_t i = 0; i < size; ++i)
      out = out * 256 + static_cast<unsigned char>(from[at + i]);
    return out;
  }

  std::string one(const std::string& payload) {
    const std::size_t flags = get(4, 1);
    const std::string stream = " " + std::to_string(get(5, 4));
    const std::string end = (flags & NGHTTP2_FLAG_END_STREAM) != 0 ? " end" : "";
    switch (get(3, 1)) {
      case NGHTTP2_HEADERS:
        return "HEADERS" + stream + end + fields(payload);
      case NGHTTP2_DATA:
        return "DATA" + stream + end + (payload.empty() ? "" : " " + payload);
      case NGHTTP2_RST_STREAM:
        return "RST_STREAM" + stream + " " + std::to_string(get(payload, 0, 4));
      case NGHTTP2_GOAWAY:
        return "GOAWAY " + std::to_string(get(payload, 4, 4));
      case NGHTTP2_PING:
        return (flags & NGHTTP2_FLAG_ACK) != 0 ? "PING ack " + payload : "PING";
      default:
        return {};
    }
  }

  std::string fields(const std::string& block) {
    std::string out;
    const auto* in = reinterpret_cast<const std::uint8_t*>(block.data());
    std::size_t left = block.size();
    for (;;) {
      nghttp2_nv field;
      int flags = 0;
      const ssize_t used = nghttp2_hd_inflate_hd2(inflater_, &field, &flags, in, left, 1);
      if (used < 0) return out + " | BROKEN";
      in += used;
      left -= static_cast<std::size_t>(used);
      if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
        out += " | " + std::string(reinterpret_cast<char*>(field.name), field.namelen) + ": " +
               std::string(reinterpret_cast<char*>(field.value), field.valuelen);
      }
      if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
    }
    nghttp2_hd_inflate_end_headers(inflater_);
    return out;
  }

  std::string bytes_;
  nghttp2_hd_inflater* inflater_ = nullptr;
};

}  // namespace weir::codec
