#include "dataplane/transport/client_hello.h"

#include <algorithm>

#include "common/base/text.h"

namespace weir::transport {
namespace {

constexpr std::uint8_t kHandshakeRecord = 22;
constexpr std::uint8_t kClientHelloMessage = 1;
constexpr std::size_t kMessageHeader = 4;
constexpr std::size_t kLongestRecord = 16'384;
constexpr std::size_t kMostProtocols = 16;
constexpr std::size_t kLongestMethod = 24;
constexpr std::uint16_t kServerNameExtension = 0;
constexpr std::uint16_t kAlpnExtension = 16;

// Reads big-endian numbers and length-prefixed blocks; after the first step beyond the end ok() is
// false and everything read is empty.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }

  std::string_view take(std::size_t size) {
    if (size > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    const std::string_view out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return out;
  }
  std::size_t number(std::size_t bytes) {
    std::size_t out = 0;
    for (const char c : take(bytes)) out = out << 8 | static_cast<unsigned char>(c);
    return out;
  }
  // A block whose length stands in front of it in this many bytes.
  std::string_view block(std::size_t length_bytes) { return take(number(length_bytes)); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

// Joins the handshake bytes of the leading records.
HelloOutcome join_records(std::string_view bytes, std::string& message) {
  while (bytes.size() >= kRecordHeader) {
    Reader header(bytes.substr(0, kRecordHeader));
    const std::size_t type = header.number(1);
    const std::size_t major = header.number(1);
    header.number(1);
    const std::size_t length = header.number(2);
    if (type != kHandshakeRecord || major != 3 || length == 0 || length > kLongestRecord) {
      return HelloOutcome::kInvalid;
    }
    const std::string_view body = bytes.substr(kRecordHeader, length);
    message += body;
    if (message.size() > kLongestHello) return HelloOutcome::kInvalid;
    if (message.size() >= 4) {
      Reader start(message);
      if (start.number(1) != kClientHelloMessage) return HelloOutcome::kInvalid;
      const std::size_t need = start.number(3);
      if (need > kLongestHello) return HelloOutcome::kInvalid;
      if (message.size() - 4 >= need) {
        message = message.substr(4, need);
        return HelloOutcome::kDone;
      }
    }
    if (body.size() < length) return HelloOutcome::kIncomplete;
    bytes.remove_prefix(kRecordHeader + length);
  }
  const bool wrong_start =
      !bytes.empty() && static_cast<unsigned char>(bytes[0]) != kHandshakeRecord;
  return wrong_start ? HelloOutcome::kInvalid : HelloOutcome::kIncomplete;
}

bool read_server_name(std::string_view extension, ClientHello& out) {
  Reader reader(extension);
  Reader list(reader.block(2));
  while (reader.ok() && list.ok() && !list.at_end()) {
    const std::size_t type = list.number(1);
    const std::string_view name = list.block(2);
    if (!list.ok() || type != 0) continue;
    if (name.empty() || name.size() > 255 || name.find('\0') != std::string_view::npos)
      return false;
    out.server_name = base::to_lower(name);
  }
  return reader.ok() && reader.at_end() && list.ok();
}

bool read_alpn(std::string_view extension, ClientHello& out) {
  Reader reader(extension);
  Reader list(reader.block(2));
  while (reader.ok() && list.ok() && !list.at_end()) {
    const std::string_view protocol = list.block(1);
    if (!list.ok() || protocol.empty()) return false;
    if (out.alpn.size() < kMostProtocols) out.alpn.emplace_back(protocol);
  }
  return reader.ok() && reader.at_end() && list.ok();
}

bool read_hello(std::string_view message, ClientHello& out) {
  Reader reader(message);
  reader.take(2 + 32);                              // legacy version, random
  reader.block(1);                                  // session id
  reader.block(2);                                  // cipher suites
  reader.block(1);                                  // compression methods
  if (reader.ok() && reader.at_end()) return true;  // no extensions: an old client
  Reader extensions(reader.block(2));
  if (!reader.ok() || !reader.at_end()) return false;
  while (!extensions.at_end()) {
    const std::size_t type = extensions.number(2);
    const std::string_view body = extensions.block(2);
    if (!extensions.ok()) return false;
    if (type == kServerNameExtension && !read_server_name(body, out)) return false;
    if (type == kAlpnExtension && !read_alpn(body, out)) return false;
  }
  return true;
}

}  // namespace

Opening judge_opening(std::string_view bytes) {
  if (static_cast<unsigned char>(bytes[0]) == kHandshakeRecord) return Opening::kTls;
  const std::string_view start = bytes.substr(0, kLongestMethod);
  const auto end =
      std::find_if(start.begin(), start.end(), [](char c) { return c < 'A' || c > 'Z'; });
  if (end == start.begin()) return Opening::kOther;
  return end == start.end() || *end == ' ' ? Opening::kPlainHttp : Opening::kOther;
}

std::size_t hello_size(std::string_view bytes) {
  if (static_cast<unsigned char>(bytes[0]) != kHandshakeRecord) return 0;
  std::string start;  // the message's own head: type and length
  std::size_t at = 0;
  std::size_t message = 0;
  while (at <= bytes.size()) {
    const std::string_view rest = bytes.substr(at);
    if (rest.size() < kRecordHeader) return at + kRecordHeader;
    Reader header(rest);
    const std::size_t type = header.number(1);
    const std::size_t major = header.number(1);
    header.number(1);
    const std::size_t length = header.number(2);
    const bool valid = type == kHandshakeRecord && major == 3 && length > 0;
    if (!valid || length > kLongestRecord) return 0;
    start += rest.substr(kRecordHeader, std::min(length, kMessageHeader - start.size()));
    message += length;
    at += kRecordHeader + length;
    if (start.size() < kMessageHeader) continue;
    Reader reader(start);
    if (reader.number(1) != kClientHelloMessage) return 0;
    if (message >= kMessageHeader + reader.number(3)) return at;
  }
  return at;
}

HelloOutcome parse_client_hello(std::string_view bytes, ClientHello& out) {
  out = ClientHello();
  std::string message;
  const HelloOutcome joined = join_records(bytes, message);
  if (joined != HelloOutcome::kDone) return joined;
  return read_hello(message, out) ? HelloOutcome::kDone : HelloOutcome::kInvalid;
}

}  // namespace weir::transport
