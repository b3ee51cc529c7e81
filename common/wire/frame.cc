#include "common/wire/frame.h"

#include <array>

#include "common/base/text.h"

namespace weir::wire {
namespace {

using base::Error;
using base::ErrorKind;

constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kCompactAt = 64 * 1024;
// Room that an empty reader keeps; what a large transaction took goes back.
constexpr std::size_t kMostKept = 64 * 1024;

// Eight tables let the loop take eight bytes a step: a full resync is hundreds of megabytes.
using CrcTables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr CrcTables make_crc_tables() {
  CrcTables tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ 0xedb88320U : crc >> 1;
    tables[0][i] = crc;
  }
  for (std::size_t t = 1; t < tables.size(); ++t) {
    for (std::size_t i = 0; i < 256; ++i) {
      const std::uint32_t before = tables[t - 1][i];
      tables[t][i] = before >> 8 ^ tables[0][before & 0xff];
    }
  }
  return tables;
}

constexpr CrcTables kCrc = make_crc_tables();

void put(std::string& out, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

std::uint32_t get(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
  }
  return value;
}

Error broken(std::string text) {
  return Error{ErrorKind::kProtocol, base::Origin::kSelf, false, "frame: " + std::move(text)};
}

bool known(std::uint32_t type) {
  return type >= static_cast<std::uint32_t>(FrameType::kHello) &&
         type <= static_cast<std::uint32_t>(FrameType::kSuperseded);
}

// Takes {u32 length | bytes} off the front of payload; false when it does not fit.
bool take_part(std::string_view& payload, std::string& out) {
  if (payload.size() < kLengthBytes) return false;
  const std::size_t size = get(payload, 0, kLengthBytes);
  payload.remove_prefix(kLengthBytes);
  if (size > payload.size()) return false;
  out.assign(payload.substr(0, size));
  payload.remove_prefix(size);
  return true;
}

base::Result<Frame> read_payload(FrameType type, std::string_view payload) {
  Frame frame;
  frame.type = type;
  if (!take_part(payload, frame.json)) return broken("JSON does not fit the payload");
  while (!payload.empty()) {
    if (!take_part(payload, frame.blobs.emplace_back())) {
      return broken("blob " + std::to_string(frame.blobs.size() - 1) + " does not fit the payload");
    }
  }
  return frame;
}

}  // namespace

std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t crc = 0xffffffffU;
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    const std::uint32_t low = get(bytes, at, 4) ^ crc;
    const std::uint32_t high = get(bytes, at + 4, 4);
    crc = kCrc[7][low & 0xff] ^ kCrc[6][low >> 8 & 0xff] ^ kCrc[5][low >> 16 & 0xff] ^
          kCrc[4][low >> 24] ^ kCrc[3][high & 0xff] ^ kCrc[2][high >> 8 & 0xff] ^
          kCrc[1][high >> 16 & 0xff] ^ kCrc[0][high >> 24];
  }
  for (; at < bytes.size(); ++at) {
    crc = crc >> 8 ^ kCrc[0][(crc ^ static_cast<unsigned char>(bytes[at])) & 0xff];
  }
  return ~crc;
}

base::Result<void> append_frame(const Frame& frame, std::string& out) {
  std::size_t size = kLengthBytes + frame.json.size();
  for (const std::string& blob : frame.blobs) size += kLengthBytes + blob.size();
  if (size > kMaxPayload) {
    return base::invalid("frame of " + std::to_string(size) + " bytes; accepted: at most " +
                         std::to_string(kMaxPayload));
  }
  const std::size_t start = out.size();
  out.reserve(start + kFrameHeader + size);
  put(out, static_cast<std::uint32_t>(size), 4);
  put(out, static_cast<std::uint32_t>(frame.type), 2);
  put(out, 0, 2);
  put(out, 0, 4);
  put(out, static_cast<std::uint32_t>(frame.json.size()), 4);
  out += frame.json;
  for (const std::string& blob : frame.blobs) {
    put(out, static_cast<std::uint32_t>(blob.size()), 4);
    out += blob;
  }
  std::string crc;
  put(crc, crc32(std::string_view(out).substr(start + kFrameHeader)), 4);
  out.replace(start + 8, 4, crc);
  return {};
}

void FrameReader::add(std::string_view bytes) {
  if (lost_) return;
  if (start_ == buffer_.size()) {
    buffer_.clear();
    start_ = 0;
  } else if (start_ >= kCompactAt) {
    buffer_.erase(0, start_);
    start_ = 0;
  }
  buffer_.append(bytes);
}

base::Result<std::optional<Frame>> FrameReader::next() {
  if (lost_) return broken("the stream is lost after an earlier error");
  auto frame = read();
  lost_ = !frame.ok();
  if (lost_ || (start_ == buffer_.size() && buffer_.capacity() > kMostKept)) {
    base::give_back(buffer_);
    start_ = 0;
  }
  return frame;
}

base::Result<std::optional<Frame>> FrameReader::read() {
  const std::string_view bytes = std::string_view(buffer_).substr(start_);
  if (bytes.size() < kLengthBytes) return std::optional<Frame>();
  const std::size_t length = get(bytes, 0, 4);
  if (length > kMaxPayload) {
    return broken("payload of " + std::to_string(length) + " bytes; accepted: at most " +
                  std::to_string(kMaxPayload));
  }
  if (bytes.size() < kFrameHeader) return std::optional<Frame>();
  const std::uint32_t type = get(bytes, 4, 2);
  if (!known(type)) return broken("unknown type " + std::to_string(type));
  if (get(bytes, 6, 2) != 0) return broken("flags are not 0");
  if (bytes.size() < kFrameHeader + length) return std::optional<Frame>();
  const std::string_view payload = bytes.substr(kFrameHeader, length);
  if (crc32(payload) != get(bytes, 8, 4)) return broken("wrong CRC");
  auto frame = read_payload(static_cast<FrameType>(type), payload);
  if (!frame.ok()) return std::move(frame).error();
  start_ += kFrameHeader + length;
  return std::optional<Frame>(std::move(frame).value());
}

}  // namespace weir::wire
